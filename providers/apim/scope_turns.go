package apim

import (
	"context"
	"slices"
	"strings"

	"wso2plan/providers/rest"
)

// scopeTurns lets writes with scopes take turns where they would lose each other's.
//
// The connector WSO2-IS-7 of APIM 4.5 keeps scopes as those of one API resource at Identity Server. It
// makes the resource when it finds none, and binds a scope to a role by reading the role's
// permissions and replacing them. Of two writes at a time the scopes of one are lost, and API
// Manager's answer does not say so. So one write with scopes is done before the others begin, and
// those that bind scopes to roles go one by one.
type scopeTurns struct {
	turn  chan struct{} // holds one token
	begun bool          // a write with scopes is done; guarded by turn

	keeper once[bool] // whether a key manager keeps scopes so
}

func newScopeTurns() *scopeTurns {
	s := &scopeTurns{turn: make(chan struct{}, 1)}
	s.turn <- struct{}{}
	return s
}

// scopesIn tells whether a write carries scopes of its own, and whether they are bound to roles.
type scopesIn struct{ any, bound bool }

// scopesOf looks at the scopes in the body of an API and, when there is one, in its definition.
func scopesOf(body map[string]any, definition string) scopesIn {
	var in scopesIn
	list, _ := body["scopes"].([]any)
	for _, s := range list {
		outer, _ := s.(map[string]any)
		scope, _ := outer["scope"].(map[string]any)
		if outer["shared"] == true {
			continue // it has been passed on when it was made
		}
		in.any = true
		bindings, _ := scope["bindings"].([]any)
		in.bound = in.bound || len(bindings) > 0
	}
	if strings.Contains(definition, "scopes") {
		in.any = true
		in.bound = in.bound || strings.Contains(definition, "bindings") || strings.Contains(definition, "roles")
	}
	return in
}

// inTurn makes a write in its turn. A write without scopes needs none.
func (s *server) inTurn(ctx context.Context, in scopesIn, write func() error) error {
	if !in.any {
		return write()
	}
	keeps, err := s.scopes.keeper.get(ctx, func(ctx context.Context) (bool, error) {
		list, err := s.keyManagers(ctx, admin)
		return slices.ContainsFunc(list, func(k keyManagerInfo) bool { return k.Enabled && k.Type == "WSO2-IS-7" }), err
	})
	if err == nil && !keeps {
		return write()
	}
	// Who may not see the key managers waits too.
	select {
	case <-s.scopes.turn:
	case <-ctx.Done():
		return rest.Unwritten(context.Cause(ctx))
	}
	if s.scopes.begun && !in.bound {
		s.scopes.turn <- struct{}{}
		return write()
	}
	defer func() { s.scopes.turn <- struct{}{} }()
	err = write()
	s.scopes.begun = s.scopes.begun || err == nil
	return err
}
