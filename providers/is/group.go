package is

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"golang.org/x/sync/errgroup"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// group is the type of groups. Members are added and removed one by one, so that what others add
// to the same group meanwhile is not lost, and no large list is sent again.
type group struct {
	*rest.Collection
}

func newGroup(c *rest.Client) engine.Type {
	return group{&rest.Collection{
		Client: c,
		Type:   groupType(),
		Path:   groupsPath,
		// IS 7.1 does not page groups: startIndex is answered with 501 (is-behaviour 4).
		Paging:      rest.Paging{Items: "Resources"},
		Filter:      groupFilter,
		Decode:      decodeGroup,
		Encode:      encodeGroup,
		ContentType: scimJSON,
		ReadBack:    true, // the answer to a create lacks the members (is-behaviour 22)
		System: func(object map[string]any) bool {
			return object["userStore"] == primaryStore && object["displayName"] == "admin"
		},
	}}
}

func groupType() *schema.Type {
	return &schema.Type{
		Name: "is_group",
		Doc:  "A group of users of one user store. Without `members` the members are left alone.",
		Key:  []string{"user_store", "display_name"},
		Block: schema.Block{Attributes: []schema.Attribute{
			{Name: "id", Type: cty.String, ReadOnly: true, Doc: "The server's id, a UUID."},
			{Name: "display_name", Type: cty.String, Required: true, Validate: plainName, Doc: "Name, without the user store."},
			storeAttribute("group"),
			{Name: "members", Type: cty.Set(cty.String), Doc: "Ids of all users in the group, of the same user store. The empty set removes all."},
			{Name: "roles", Type: cty.Set(cty.String), ReadOnly: true, Doc: "Ids of the roles that the group has."},
		}},
	}
}

func groupFilter(wanted cty.Value) url.Values {
	store, name := stringOf(wanted, "user_store"), stringOf(wanted, "display_name")
	return url.Values{
		"filter":             {"displayName eq " + quote(joinStore(store, name))},
		"domain":             {strings.ToUpper(store)},
		"excludedAttributes": {"members"},
	}
}

func decodeGroup(object map[string]any) error {
	if name, ok := object["displayName"].(string); ok {
		store, plain := splitStore(name)
		object["displayName"], object["userStore"] = plain, store
	}
	object["members"], object["roles"] = values(object["members"]), values(object["roles"])
	return nil
}

func encodeGroup(body map[string]any) error {
	store, _ := body["userStore"].(string)
	name, _ := body["displayName"].(string)
	body["displayName"] = joinStore(store, name)
	delete(body, "userStore")
	if members := references(body["members"]); len(members) > 0 {
		body["members"] = members
	} else {
		delete(body, "members")
	}
	body["schemas"] = []string{"urn:ietf:params:scim:schemas:core:2.0:Group"}
	return nil
}

// membersPerRequest bounds a PATCH: servers limit bodies to 1 MiB.
const membersPerRequest = 500

// Update renames the group, and adds and removes members.
func (g group) Update(ctx context.Context, live *engine.Object, planned cty.Value) (*engine.Object, error) {
	now, _, err := g.Current(ctx, live, planned)
	if err != nil {
		return nil, err
	}
	planned = rest.Rebase(&g.Type.Block, live.Value, planned, now.Value)
	var ops []operation
	if name := g.Type.Attribute("display_name"); !rest.Equal(name, now.Value.GetAttr("display_name"), planned.GetAttr("display_name")) {
		ops = append(ops, operation{Op: "replace", Path: "displayName",
			Value: joinStore(stringOf(now.Value, "user_store"), stringOf(planned, "display_name"))})
	}
	add, remove := delta(now.Value, planned, "members")
	for _, id := range remove {
		ops = append(ops, operation{Op: "remove", Path: "members[value eq " + quote(id) + "]"})
	}
	members, err := g.members(ctx, add)
	if err != nil {
		return nil, rest.Unwritten(err)
	}
	for part := range slices.Chunk(members, membersPerRequest) {
		ops = append(ops, operation{Op: "add", Path: "members", Value: part})
	}
	return patchInParts(ctx, g.Collection, live.ID, ops, planned)
}

// patchInParts sends operations, not too many at once, and reads the object. When a later part
// fails the object is returned with the error, since a part of the change was made.
func patchInParts(ctx context.Context, c *rest.Collection, id string, ops []operation, planned cty.Value) (*engine.Object, error) {
	done := 0
	for len(ops) > 0 {
		n, size := 0, 0
		for n < len(ops) && (n == 0 || size+weight(ops[n]) <= membersPerRequest) {
			size += weight(ops[n])
			n++
		}
		if _, err := patch(ctx, c, id, ops[:n], planned); err != nil {
			if done == 0 {
				return nil, err
			}
			o, _ := c.Read(context.WithoutCancel(ctx), id)
			return o, rest.Unclear(fmt.Errorf("after %d of %d operations: %w", done, done+len(ops), err))
		}
		done += n
		ops = ops[n:]
	}
	o, err := c.Read(ctx, id)
	if err != nil && done > 0 {
		return nil, fmt.Errorf("it was changed, but could not be read: %w", rest.Unclear(err))
	}
	return o, err
}

// weight is how much an operation counts in a request.
func weight(o operation) int {
	if list, ok := o.Value.([]any); ok {
		return max(1, len(list))
	}
	return 1
}

// members returns what a PATCH adds for user ids. IS 7.1 refuses a member that has no display, the
// user's name (is-behaviour 22), so the names are read first.
func (g group) members(ctx context.Context, ids []string) ([]any, error) {
	members := make([]any, len(ids))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(50)
	for i, id := range ids {
		group.Go(func() error {
			var u struct {
				UserName string `json:"userName"`
			}
			err := g.Client.Get(ctx, usersPath+"/"+url.PathEscape(id), url.Values{"attributes": {"userName"}}, &u)
			if err != nil {
				return fmt.Errorf("reading the name of member %s: %w", id, rest.Unfound(err))
			}
			members[i] = map[string]any{"value": id, "display": u.UserName}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return members, nil
}

// Delete removes the group. IS 7.1 answers 400 for one that is gone (is-behaviour 22), so after a
// 400 we look whether it is.
func (g group) Delete(ctx context.Context, live *engine.Object) error {
	err := g.Collection.Delete(ctx, live)
	if rest.StatusOf(err) != http.StatusBadRequest {
		return err
	}
	return goneAfter(ctx, g.Collection, live.ID, err)
}
