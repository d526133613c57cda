package apim

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// subscriptionStates are those that a subscription is put in; API Manager has more of its own.
var subscriptionStates = []string{"UNBLOCKED", "BLOCKED", "PROD_ONLY_BLOCKED"}

// subscriptionType is the table of apim_subscription (apim-behaviour 4.4).
func subscriptionType() *schema.Type {
	return &schema.Type{
		Name: "apim_subscription",
		Doc: "The subscription of an application to an API or an API product, without which its tokens do not open it. A new one waits, for a while, " +
			"until the developer portal shows the API.",
		Key: []string{"application_id", "api_id"},
		Block: schema.Block{Attributes: []schema.Attribute{
			{Name: "id", Type: cty.String, ReadOnly: true, JSON: "subscriptionId", Doc: "The server's id, a UUID."},
			{Name: "application_id", Type: cty.String, Required: true, RequiresReplace: true, Parent: true, Doc: "Id of the application."},
			{Name: "api_id", Type: cty.String, Required: true, RequiresReplace: true, Parent: true, Doc: "Id of the API or API product."},
			{Name: "throttling_policy", Type: cty.String, Required: true, Doc: "Subscription throttling policy, one of those that the API offers."},
			{Name: "status", Type: cty.String, Validate: subscriptionStatus,
				Doc: "Whether calls pass: `UNBLOCKED`, `BLOCKED`, or `PROD_ONLY_BLOCKED`, where keys of the sandbox pass. The server has `ON_HOLD`, `REJECTED`, " +
					"`TIER_UPDATE_PENDING` and `DELETE_PENDING` too, of subscriptions that wait for an approval."},
			{Name: "requested_throttling_policy", Type: cty.String, ReadOnly: true, ChangesWith: []string{"throttling_policy"},
				Doc: "The policy that waits for an approval, else the same as `throttling_policy`."},
		}},
	}
}

func subscriptionStatus(v cty.Value) error {
	if !slices.Contains(subscriptionStates, v.AsString()) {
		return fmt.Errorf("%q is no state that a subscription is put in; use %s", v.AsString(), listed(subscriptionStates))
	}
	return nil
}

// subscription is an application's subscription to an API.
func subscription(p *Provider) engine.Type {
	return &subscriptions{
		provider: p,
		Collection: &rest.Collection{
			Client: &p.client,
			Type:   subscriptionType(),
			Path:   devportal + "/subscriptions",
			ID:     "subscriptionId",
			Paging: rest.Paging{Style: rest.LimitOffset},
			Filter: func(wanted cty.Value) url.Values {
				return url.Values{"applicationId": {knownString(wanted, "application_id")}, "apiId": {knownString(wanted, "api_id")}}
			},
			ReadBack: true,
		},
	}
}

// subscriptions is the type apim_subscription.
type subscriptions struct {
	*rest.Collection
	provider *Provider
}

// Read reads a subscription.
func (t *subscriptions) Read(ctx context.Context, id string) (*engine.Object, error) {
	t.provider.server.owned.add(id)
	return t.Collection.Read(ctx, id)
}

// List cannot enumerate: subscriptions are listed by application or API alone (apim-behaviour 4.4).
func (t *subscriptions) List(context.Context, int) iter.Seq2[*engine.Object, error] {
	return func(yield func(*engine.Object, error) bool) { yield(nil, engine.ErrCostly) }
}

// Find returns the subscription of an application to an API.
func (t *subscriptions) Find(ctx context.Context, wanted cty.Value) (*engine.Object, error) {
	wanted, _ = wanted.UnmarkDeep()
	none := fmt.Errorf("subscription: %w", engine.ErrNotFound)
	// The listing by both is not paged in practice: there is one at most.
	var out []struct {
		ID          string `json:"subscriptionId"`
		Application string `json:"applicationId"`
		API         string `json:"apiId"`
	}
	err := t.Client.GetList(ctx, t.Path, t.Filter(wanted), "list", &out)
	switch rest.StatusOf(err) {
	case http.StatusNotFound, http.StatusForbidden:
		return nil, none // of an application that is not there, or not ours
	}
	if err != nil {
		return nil, err
	}
	for _, s := range out {
		if s.Application == knownString(wanted, "application_id") && s.API == knownString(wanted, "api_id") {
			return t.Collection.Read(ctx, s.ID)
		}
	}
	return nil, none
}

// Create subscribes, and blocks the subscription where it is wanted so.
func (t *subscriptions) Create(ctx context.Context, planned cty.Value) (*engine.Object, error) {
	api := knownString(planned, "api_id")
	body := map[string]any{"applicationId": knownString(planned, "application_id"), "apiId": api, "throttlingPolicy": knownString(planned, "throttling_policy")}
	r := rest.Request{Method: http.MethodPost, Path: t.Path, Body: body}
	res, err := t.Client.Do(ctx, r)
	if notVisible(err) {
		// The portal shows a published API after a while; APIM 4.5 answers 500 until then
		// (apim-behaviour 2.5, 10). Nothing was made when it is not found now.
		if err = t.await(ctx, planned, err); err != nil {
			return nil, err
		}
		if o, ferr := t.Find(ctx, planned); ferr == nil {
			return t.settle(ctx, o, planned)
		}
		res, err = t.Client.Do(ctx, r)
	}
	if err != nil {
		return nil, t.explain(ctx, planned, err)
	}
	o, err := t.Created(ctx, res, planned)
	if err != nil || o == nil {
		return o, err
	}
	if res.Status == http.StatusAccepted || knownString(o.Value, "status") == "ON_HOLD" {
		return o, &engine.AttributeError{Attribute: "status", Summary: "Subscription waits for an approval",
			Err: errors.New("the subscription is asked for and not made; approve it in the admin portal and apply again")}
	}
	return t.settle(ctx, o, planned)
}

// notVisible reports whether a refusal may mean that the portal does not show the API yet.
func notVisible(err error) bool {
	switch rest.StatusOf(err) {
	case http.StatusInternalServerError, http.StatusNotFound:
		return true
	case http.StatusForbidden:
		return rest.CodeOf(err) != "902002"
	}
	return false
}

// await waits until the developer portal shows the API.
func (t *subscriptions) await(ctx context.Context, planned cty.Value, refusal error) error {
	api := knownString(planned, "api_id")
	var last error
	err := t.Client.Wait(ctx, fmt.Sprintf("the developer portal shows API %s", api), t.provider.timings.visible, func(ctx context.Context) (bool, error) {
		last = t.Client.Get(ctx, devportal+"/apis/"+url.PathEscape(api), nil, nil)
		switch rest.StatusOf(last) {
		case http.StatusNotFound, http.StatusForbidden, http.StatusInternalServerError:
			return false, nil
		}
		return last == nil, last
	})
	if err == nil {
		return nil
	}
	if last != nil && ctx.Err() == nil {
		return rest.Unwritten(&engine.AttributeError{Attribute: "api_id", Summary: "API not in the developer portal",
			Err: fmt.Errorf("%w; publish it (lifecycle_state = \"PUBLISHED\") and let the application's owner see it: %w", err, rest.Unfound(refusal))})
	}
	return err
}

// explain points at what a refusal speaks of.
func (t *subscriptions) explain(ctx context.Context, planned cty.Value, err error) error {
	switch {
	case rest.CodeOf(err) == "902002":
		return &engine.AttributeError{Attribute: "throttling_policy", Summary: "Policy that the API does not offer", Err: t.offered(ctx, knownString(planned, "api_id"), err)}
	case rest.StatusOf(err) == http.StatusBadRequest:
		return &engine.AttributeError{Attribute: "application_id", Summary: "Subscription refused", Err: err}
	}
	return err
}

// offered says which policies an API offers.
func (t *subscriptions) offered(ctx context.Context, api string, refusal error) error {
	var out struct {
		Policies []string `json:"policies"`
	}
	if err := t.Client.Get(ctx, publisher+"/apis/"+url.PathEscape(api), nil, &out); err != nil || len(out.Policies) == 0 {
		return refusal
	}
	slices.Sort(out.Policies)
	return fmt.Errorf("the API offers %s: %w", listed(out.Policies), refusal)
}

// settle blocks or unblocks a subscription where it is not as wanted.
func (t *subscriptions) settle(ctx context.Context, o *engine.Object, planned cty.Value) (*engine.Object, error) {
	want := knownString(planned, "status")
	if want == "" || want == knownString(o.Value, "status") {
		return o, nil
	}
	if err := t.setStatus(ctx, o.ID, want); err != nil {
		return o, err
	}
	return t.again(ctx, o)
}

func (t *subscriptions) again(ctx context.Context, o *engine.Object) (*engine.Object, error) {
	now, err := t.Collection.Read(ctx, o.ID)
	if err != nil {
		return o, fmt.Errorf("it was changed, but could not be read: %w", rest.Unfound(err))
	}
	return now, nil
}

// setStatus blocks and unblocks, which publishers do.
func (t *subscriptions) setStatus(ctx context.Context, id, status string) error {
	r := rest.Request{Method: http.MethodPost, Path: publisher + "/subscriptions/block-subscription", Idempotent: true,
		Query: url.Values{"subscriptionId": {id}, "blockState": {status}}}
	if status == "UNBLOCKED" {
		r.Path, r.Query = publisher+"/subscriptions/unblock-subscription", url.Values{"subscriptionId": {id}}
	}
	if err := t.Client.Call(ctx, r, nil); err != nil {
		return &engine.AttributeError{Attribute: "status", Summary: "Status not changed", Err: rest.Unfound(err)}
	}
	return nil
}

// Update changes the policy and the status. APIM 4.5 refuses another policy of a blocked
// subscription, so it is unblocked for that (apim-behaviour 4.4).
func (t *subscriptions) Update(ctx context.Context, live *engine.Object, planned cty.Value) (*engine.Object, error) {
	now, raw, err := t.Current(ctx, live, planned)
	if err != nil {
		return nil, err
	}
	planned = rest.Rebase(&t.Type.Block, live.Value, planned, now.Value)
	want := knownString(planned, "throttling_policy")
	if want == knownString(now.Value, "throttling_policy") {
		return t.settle(ctx, now, planned)
	}
	was := knownString(now.Value, "status")
	if was == "BLOCKED" {
		if err := t.setStatus(ctx, now.ID, "UNBLOCKED"); err != nil {
			return nil, err
		}
	}
	// APIM 4.5 checks the policy that is requested, and answers 500 without one [seen].
	body := map[string]any{"subscriptionId": now.ID, "applicationId": raw["applicationId"], "apiId": raw["apiId"], "throttlingPolicy": want,
		"requestedThrottlingPolicy": want, "status": was}
	if was == "BLOCKED" {
		body["status"] = "UNBLOCKED"
	}
	err = t.Client.Call(ctx, rest.Request{Method: http.MethodPut, Path: t.URL(now.ID), Body: body}, nil)
	if err != nil {
		err = t.explain(ctx, planned, rest.Unfound(err))
		if was == "BLOCKED" { // as it was
			if berr := t.setStatus(context.WithoutCancel(ctx), now.ID, was); berr != nil {
				return now, fmt.Errorf("%w; and it could not be blocked again: %v", err, berr)
			}
		}
		return nil, err
	}
	o, err := t.again(ctx, now)
	if err != nil {
		return o, err
	}
	o, err = t.settle(ctx, o, planned)
	if err != nil {
		return o, err
	}
	switch {
	case knownString(o.Value, "throttling_policy") == want:
		return o, nil
	case knownString(o.Value, "status") == "TIER_UPDATE_PENDING":
		return o, &engine.AttributeError{Attribute: "throttling_policy", Summary: "Policy waits for an approval",
			Err: errors.New("the change is asked for and not done; approve it in the admin portal and apply again")}
	}
	// APIM 4.5 answers 200 for a policy that the API does not offer, and changes nothing
	// (apim-behaviour 0.12).
	return o, &engine.AttributeError{Attribute: "throttling_policy", Summary: "Policy that the API does not offer",
		Err: t.offered(ctx, knownString(planned, "api_id"), fmt.Errorf("API Manager was sent the policy %q and kept %q", want, knownString(o.Value, "throttling_policy")))}
}

// Delete ends a subscription. APIM 4.5 answers 200 for one that is blocked and leaves it as it is
// [seen], so we look, and unblock it for that.
func (t *subscriptions) Delete(ctx context.Context, live *engine.Object) error {
	for again := false; ; again = true {
		res, err := t.Client.Do(ctx, rest.Request{Method: http.MethodDelete, Path: t.URL(live.ID)})
		if errors.Is(err, engine.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		o, err := t.Collection.Read(ctx, live.ID)
		status := ""
		if err == nil {
			status = knownString(o.Value, "status")
		}
		switch {
		case errors.Is(err, engine.ErrNotFound):
			return nil
		case err != nil:
			return fmt.Errorf("its end was asked for, but it could not be read: %w", err)
		case !again && (status == "BLOCKED" || status == "PROD_ONLY_BLOCKED"):
			if err := t.setStatus(ctx, live.ID, "UNBLOCKED"); err != nil {
				return err
			}
		case res.Status == http.StatusAccepted || status == "DELETE_PENDING":
			return errors.New("the end of the subscription waits for an approval in the admin portal; approve it and apply again")
		default:
			return fmt.Errorf("API Manager answered %d to the end of the subscription, and it is still there, with status %s", res.Status, status)
		}
	}
}

// Consequence says what fails without the subscription.
func (t *subscriptions) Consequence(action engine.Action, before, after cty.Value) string {
	switch action {
	case engine.Delete:
		return "Calls of the application to this API fail from then on."
	case engine.Update:
		if s := knownString(after, "status"); s != knownString(before, "status") && (s == "BLOCKED" || s == "PROD_ONLY_BLOCKED") {
			return "Calls of the application to this API fail until it is unblocked."
		}
	}
	return ""
}
