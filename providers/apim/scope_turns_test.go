package apim

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
)

// scopeKeeper is Identity Server as far as API Manager's connector keeps scopes there. It takes its
// time, so that two who come at once see the same.
type scopeKeeper struct {
	*httptest.Server

	mu     sync.Mutex
	scopes []string            // nil: no resource
	roles  map[string][]string // permissions
}

func newScopeKeeper(t *testing.T) *scopeKeeper {
	k := &scopeKeeper{roles: map[string][]string{}}
	k.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(5 * time.Millisecond)
		k.mu.Lock()
		defer k.mu.Unlock()
		k.serve(w, r)
	}))
	t.Cleanup(k.Close)
	return k
}

func (k *scopeKeeper) serve(w http.ResponseWriter, r *http.Request) {
	type named struct{ Name, Value, DisplayName string }
	var body struct {
		DisplayName, Filter              string
		Scopes, AddedScopes, Permissions []named
		Operations                       []struct{ Value struct{ Permissions []named } }
	}
	_ = json.NewDecoder(r.Body).Decode(&body) // a GET has none
	answer := func(v any) { _ = json.NewEncoder(w).Encode(v) }
	role := func(name string) map[string]any {
		permissions := []any{}
		for _, p := range k.roles[name] {
			permissions = append(permissions, map[string]any{"value": p})
		}
		return map[string]any{"id": name, "displayName": name, "permissions": permissions}
	}
	add := func(list []named) {
		for _, s := range list {
			k.scopes = append(k.scopes, s.Name)
		}
	}
	switch name := path.Base(r.URL.Path); r.Method + " " + r.URL.Path {
	case "GET /resources":
		list := []any{}
		if k.scopes != nil {
			list = append(list, map[string]any{"id": "1"})
		}
		answer(map[string]any{"apiResources": list})
	case "GET /resources/1/scopes":
		list := []any{}
		for _, s := range k.scopes {
			list = append(list, map[string]any{"name": s})
		}
		answer(list)
	case "POST /resources":
		if k.scopes != nil {
			w.WriteHeader(http.StatusConflict)
			return
		}
		add(body.Scopes)
	case "PATCH /resources/1":
		add(body.AddedScopes)
	case "POST /roles/.search":
		list := []any{}
		if wanted := strings.TrimPrefix(body.Filter, "displayName eq "); k.roles[wanted] != nil {
			list = append(list, role(wanted))
		}
		answer(map[string]any{"Resources": list})
	case "POST /roles":
		k.roles[body.DisplayName] = []string{body.Permissions[0].Value}
	default:
		if r.Method == http.MethodGet {
			answer(role(name))
			return
		}
		var now []string
		for _, p := range body.Operations[0].Value.Permissions {
			now = append(now, p.Value)
		}
		slices.Sort(now)
		k.roles[name] = slices.Compact(now) // a role has a permission once
	}
}

// planned is a value of a type or a block as it is planned for a new object: what is not said is left
// to the server.
func planned(b *schema.Block, attrs map[string]cty.Value) cty.Value {
	all := b.Defaults(b.Object(attrs)).AsValueMap()
	for name, v := range all {
		if _, said := attrs[name]; !said && (v.IsNull() || v.CanIterateElements()) {
			all[name] = cty.UnknownVal(v.Type())
		}
	}
	return cty.ObjectVal(all)
}

func blockOf(t engine.Type, name string) *schema.Block {
	for i := range t.Schema().Blocks {
		if n := &t.Schema().Blocks[i]; n.Name == name {
			return &n.Block
		}
	}
	panic("no block " + name)
}

// TestScopesOfManyAPIs makes APIs at once whose scopes API Manager passes on to Identity Server.
func TestScopesOfManyAPIs(t *testing.T) {
	for _, test := range []struct {
		name  string
		roles cty.Value
		want  string // permissions of the role
	}{
		{"bound to a role", strs("admin"), "s0:write s1:write s2:write s3:write s4:write s5:write s6:write s7:write"},
		{"bound to none", cty.UnknownVal(cty.Set(cty.String)), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			k := newScopeKeeper(t)
			s := serve(t, nil)
			manager := is7Manager(&dcr{Server: k.Server})
			manager["additional_properties"] = props("Username", "admin", "enable_roles_creation", "Enable",
				"api_resource_management_endpoint", k.URL+"/resources", "is7_roles_endpoint", k.URL+"/roles")
			km := s.typ("apim_key_manager")
			if _, err := km.Create(t.Context(), value(km, manager)); err != nil {
				t.Fatal(err)
			}
			var wait sync.WaitGroup
			for i := range 8 {
				wait.Go(func() {
					typ := s.typ("apim_api")
					name := fmt.Sprintf("s%d:write", i)
					scope := planned(blockOf(typ, "scope"), map[string]cty.Value{"name": str(name), "roles": test.roles})
					operation := planned(blockOf(typ, "operation"), map[string]cty.Value{"verb": str("POST"), "target": str("/x"), "scopes": strs(name)})
					_, err := typ.Create(context.Background(), planned(&typ.Schema().Block, map[string]cty.Value{
						"name": str(fmt.Sprintf("API%d", i)), "version": str("1"), "context": str(fmt.Sprintf("/a%d", i)),
						"scope": cty.ListVal([]cty.Value{scope}), "operation": cty.ListVal([]cty.Value{operation}),
					}))
					if err != nil {
						t.Error(err)
					}
				})
			}
			wait.Wait()
			slices.Sort(k.scopes)
			if got := strings.Join(k.scopes, " "); got != "s0:write s1:write s2:write s3:write s4:write s5:write s6:write s7:write" {
				t.Errorf("scopes: %s", got)
			}
			if got := strings.Join(k.roles["system_primary_admin"], " "); got != test.want {
				t.Errorf("permissions: %s", got)
			}
		})
	}
}
