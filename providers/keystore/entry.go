package keystore

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/keystore/container"
)

// An entryType is what trusted certificates and key pairs have in common: they are entries of a
// store, found by its name and their alias, and known by "STORE#ALIAS".
type entryType struct {
	stores *stores
	typ    *schema.Type
	kind   container.Kind
	chain  string // the attribute that holds the certificates
}

// entryAttributes name an entry.
func entryAttributes() []schema.Attribute {
	return []schema.Attribute{
		{Name: "store", Type: cty.String, Required: true, RequiresReplace: true, Validate: notEmpty,
			Doc: "Name of a `store` block of the provider; or the path of a file, with its folder or extension, that has the provider's password."},
		{Name: "alias", Type: cty.String, Required: true, RequiresReplace: true, Validate: alias,
			Normalize: func(v cty.Value) cty.Value { return cty.StringVal(container.Fold(v.AsString())) },
			Doc:       "Name of the entry. Case does not count, as in Java."},
	}
}

func (t *entryType) Schema() *schema.Type { return t.typ }

// Exclusive serializes the writes of one file, of this type; the file's lock those of both.
func (t *entryType) Exclusive(planned cty.Value) string {
	planned, _ = planned.Unmark()
	return stringOf(planned, "store")
}

// CheckPlan warns of certificates that end soon.
func (t *entryType) CheckPlan(ctx context.Context, planned []engine.Planned) []engine.PlanProblem {
	return expiring(ctx, t.chain, planned)
}

func entryID(store, alias string) string { return store + "#" + url.PathEscape(container.Fold(alias)) }

// entryOf reads an id. One that is none is not found, so that import goes on to take it for a key.
func entryOf(id string) (store, alias string, err error) {
	i := strings.LastIndexByte(id, '#')
	if i < 1 {
		return "", "", fmt.Errorf("%w: %q is no id of an entry, which is STORE#ALIAS, such as \"apim_trust#wso2is\"", engine.ErrNotFound, id)
	}
	alias, err = url.PathUnescape(id[i+1:])
	if err != nil || alias == "" {
		return "", "", fmt.Errorf("%w: %q is no id of an entry, which is STORE#ALIAS, with %%XX for special characters of the alias", engine.ErrNotFound, id)
	}
	return id[:i], alias, nil
}

// Find returns the entry that store and alias name.
func (t *entryType) Find(_ context.Context, wanted cty.Value) (*engine.Object, error) {
	wanted, _ = wanted.Unmark()
	return t.get(stringOf(wanted, "store"), stringOf(wanted, "alias"))
}

// Read returns the entry with that id.
func (t *entryType) Read(_ context.Context, id string) (*engine.Object, error) {
	ref, alias, err := entryOf(id)
	if err != nil {
		return nil, err
	}
	return t.get(ref, alias)
}

func (t *entryType) get(ref, alias string) (*engine.Object, error) {
	s, err := t.stores.get(ref)
	if err != nil {
		return nil, &engine.AttributeError{Attribute: "store", Err: err}
	}
	e, err := s.find(alias)
	if errors.Is(err, engine.ErrNotFound) {
		return nil, err
	}
	if err != nil {
		return nil, &engine.AttributeError{Attribute: "store", Summary: "Key store not usable", Err: err}
	}
	if err := t.isKind(s, e); err != nil {
		return nil, err
	}
	return t.object(ref, alias, e)
}

var kinds = map[container.Kind]string{container.Other: "something else, such as a secret key", container.Trusted: "a trusted certificate", container.Key: "a private key"}

// isKind refuses an entry of another kind, which must not be taken for ours, nor overwritten.
func (t *entryType) isKind(s *store, e container.Entry) error {
	if e.Kind == t.kind {
		return nil
	}
	return &engine.AttributeError{Attribute: "alias", Summary: "Entry of another kind", Err: fmt.Errorf(
		"the entry %q of %s holds %s, not %s. Choose another alias, or remove that entry with keytool", e.Alias, s.label(), kinds[e.Kind], kinds[t.kind])}
}

// object returns an entry as the engine sees it.
func (t *entryType) object(ref, alias string, e container.Entry) (*engine.Object, error) {
	attrs := map[string]cty.Value{"store": cty.StringVal(ref), "alias": cty.StringVal(container.Fold(alias)),
		t.chain: cty.StringVal(encodePEM(e.Chain))}
	attrs["id"] = cty.StringVal(entryID(ref, alias))
	if len(e.Chain) > 0 {
		list, err := certificates(encodePEM(e.Chain[:1]))
		if err != nil {
			return nil, fmt.Errorf("the entry %q holds a certificate that cannot be read: %w. Remove it with keytool", e.Alias, err)
		}
		describe(attrs, list[0])
	}
	return &engine.Object{ID: entryID(ref, alias), Value: t.typ.Object(attrs)}, nil
}

// conflict is the error of a creation whose alias is taken.
type conflict struct{ refusal }

// Conflict says that something else is in the way.
func (conflict) Conflict() bool { return true }

// put writes an entry: one that must not be there yet when live is nil, else one that must be what
// live says.
func (t *entryType) put(ctx context.Context, live *engine.Object, planned cty.Value, set func(*store, container.Store, string) error) (*engine.Object, error) {
	plain, _ := planned.UnmarkDeep()
	ref, alias := stringOf(plain, "store"), stringOf(plain, "alias")
	s, err := t.stores.get(ref)
	if err != nil {
		return nil, refusal{&engine.AttributeError{Attribute: "store", Err: err}}
	}
	var made container.Entry
	err = s.change(ctx, alias, func(c container.Store) error {
		e, there := container.Find(c, alias)
		switch {
		case there && live == nil:
			return conflict{refusal{fmt.Errorf("%s has an entry %q already", s.label(), e.Alias)}}
		case !there && live != nil:
			return fmt.Errorf("%w: the entry is gone", engine.ErrMoved)
		case there:
			if err := t.isKind(s, e); err != nil {
				return err
			}
			was, _ := live.Value.GetAttr(t.chain).Unmark()
			if now := cty.StringVal(encodePEM(e.Chain)); !normalCertificates(now).RawEquals(normalCertificates(was)) {
				return fmt.Errorf("%w: it holds another certificate", engine.ErrMoved)
			}
		}
		if err := set(s, c, alias); err != nil {
			return err
		}
		made, _ = container.Find(c, alias)
		return nil
	})
	if err != nil {
		return nil, err
	}
	o, err := t.object(ref, alias, made)
	if err != nil {
		return nil, err
	}
	// The text of the configuration means the same, and is what others saw in the plan.
	attrs := o.Value.AsValueMap()
	attrs["alias"], attrs[t.chain] = plain.GetAttr("alias"), plain.GetAttr(t.chain)
	o.Value = cty.ObjectVal(attrs)
	return o, nil
}

// Delete removes the entry; one that is gone, or whose file is, is no error.
func (t *entryType) Delete(ctx context.Context, live *engine.Object) error {
	ref, alias, err := entryOf(live.ID)
	if err != nil {
		return err
	}
	s, err := t.stores.get(ref)
	if err != nil {
		return &engine.AttributeError{Attribute: "store", Err: err}
	}
	if _, err := s.find(alias); errors.Is(err, engine.ErrNotFound) {
		return nil
	}
	return s.change(ctx, alias, func(c container.Store) error {
		e, there := container.Find(c, alias)
		if !there {
			return errUnchanged
		}
		if err := t.isKind(s, e); err != nil {
			return err
		}
		return c.Delete(alias)
	})
}
