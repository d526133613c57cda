package is

import (
	"hash/crc32"
	"net/http"
	"slices"
)

// claimRef is how the API names a claim.
type claimRef struct {
	URI string `json:"uri"`
}

type claimsRequest struct {
	Dialect  string `json:"dialect"`
	Mappings *[]struct {
		Application string   `json:"applicationClaim"`
		Local       claimRef `json:"localClaim"`
	} `json:"claimMappings"`
	Requested []struct {
		Claim     claimRef `json:"claim"`
		Mandatory bool     `json:"mandatory"`
	} `json:"requestedClaims"`
	Subject *struct {
		Claim           *claimRef `json:"claim"`
		IncludeUser     *bool     `json:"includeUserDomain"`
		IncludeTenant   *bool     `json:"includeTenantDomain"`
		UseMapped       *bool     `json:"useMappedLocalSubject"`
		MappedMandatory *bool     `json:"mappedLocalSubjectMandatory"`
	} `json:"subject"`
	Role *struct {
		Claim       *claimRef     `json:"claim"`
		IncludeUser *bool         `json:"includeUserDomain"`
		Mappings    []roleMapping `json:"mappings"`
	} `json:"role"`
}

type roleMapping struct {
	Local       string `json:"localRole"`
	Application string `json:"applicationRole"`
}

// claims is what an application is told of a user.
type claims struct {
	Custom                                                bool
	Mappings                                              []claimMapping
	Subject, Role                                         string
	IncludeUser, IncludeTenant, UseMapped, MappedRequired bool
	RoleWithoutUserDomain                                 bool
	Roles                                                 []roleMapping
}

type claimMapping struct {
	Application, Local   string
	Requested, Mandatory bool
}

func (a *application) claims() claims {
	var c claims
	a.part("claimConfiguration", &c)
	return c
}

// applyClaims replaces the dialect and the claims, and role mappings when it says something of roles; what concerns the subject is merged
// (is-behaviour 7).
func applyClaims(a *application, r *claimsRequest) *answer {
	if r == nil {
		return nil
	}
	c := a.claims()
	switch r.Dialect {
	case "", "LOCAL":
		c.Custom = false
	case "CUSTOM":
		c.Custom = true
	default:
		return failure(http.StatusBadRequest, "UE-10000", "Invalid request", "Invalid dialect: "+r.Dialect)
	}
	c.Mappings = nil
	if r.Mappings != nil {
		at := map[string]int{}
		for _, m := range *r.Mappings {
			if _, twice := at[m.Application]; twice {
				return failure(http.StatusInternalServerError, "APP-65006", "Unexpected Processing Error.", "Duplicate key "+m.Application)
			}
			at[m.Application] = len(c.Mappings)
			c.Mappings = append(c.Mappings, claimMapping{Application: m.Application, Local: m.Local.URI})
		}
		for _, requested := range r.Requested {
			if i, ok := at[requested.Claim.URI]; ok {
				c.Mappings[i].Requested, c.Mappings[i].Mandatory = true, requested.Mandatory
			}
		}
	} else {
		for _, requested := range r.Requested {
			c.Mappings = append(c.Mappings, claimMapping{requested.Claim.URI, requested.Claim.URI, true, requested.Mandatory})
		}
	}
	// They come out of a map, in no order that anybody gave.
	slices.SortFunc(c.Mappings, func(x, y claimMapping) int {
		return int(int64(crc32.ChecksumIEEE([]byte(x.Application))) - int64(crc32.ChecksumIEEE([]byte(y.Application))))
	})
	if r.Role != nil {
		if r.Role.Claim != nil {
			if r.Role.Claim.URI == "http://wso2.org/claims/role" {
				return badApplication("The claim http://wso2.org/claims/role cannot be the role claim. Use http://wso2.org/claims/roles.")
			}
			c.Role = r.Role.Claim.URI
		}
		if r.Role.IncludeUser != nil {
			c.RoleWithoutUserDomain = !*r.Role.IncludeUser
		}
		c.Roles = r.Role.Mappings
	}
	if sub := r.Subject; sub != nil {
		if sub.MappedMandatory != nil && *sub.MappedMandatory && sub.UseMapped != nil && !*sub.UseMapped {
			return badApplication("The mapped local subject cannot be mandatory while it is not used.")
		}
		if sub.Claim != nil {
			c.Subject = sub.Claim.URI
		}
		for _, flag := range []struct {
			to   *bool
			from *bool
		}{{&c.IncludeUser, sub.IncludeUser}, {&c.IncludeTenant, sub.IncludeTenant}, {&c.UseMapped, sub.UseMapped}, {&c.MappedRequired, sub.MappedMandatory}} {
			if flag.from != nil {
				*flag.to = *flag.from
			}
		}
	}
	a.set("claimConfiguration", c)
	return nil
}

// document shows the claims with the defaults that the server fills in; with local claims the requested ones are listed as mappings too.
func (c claims) document() map[string]any {
	ref := func(uri string) map[string]any { return map[string]any{"uri": uri} }
	mappings, requested, roles := []any{}, []any{}, []any{}
	for _, m := range c.Mappings {
		mappings = append(mappings, map[string]any{"applicationClaim": m.Application, "localClaim": ref(m.Local)})
		if m.Requested {
			requested = append(requested, map[string]any{"claim": ref(m.Application), "mandatory": m.Mandatory})
		}
	}
	for _, r := range c.Roles {
		roles = append(roles, map[string]any{"localRole": r.Local, "applicationRole": r.Application})
	}
	dialect, subject, role := "LOCAL", c.Subject, c.Role
	if c.Custom {
		dialect = "CUSTOM"
	} else {
		if subject == "" {
			subject = "http://wso2.org/claims/userid"
		}
		if role == "" {
			role = "http://wso2.org/claims/roles"
		}
	}
	s := map[string]any{"includeUserDomain": c.IncludeUser, "includeTenantDomain": c.IncludeTenant, "useMappedLocalSubject": c.UseMapped, "mappedLocalSubjectMandatory": c.MappedRequired}
	r := map[string]any{"includeUserDomain": !c.RoleWithoutUserDomain, "mappings": roles}
	if subject != "" {
		s["claim"] = ref(subject)
	}
	if role != "" {
		r["claim"] = ref(role)
	}
	return map[string]any{"dialect": dialect, "claimMappings": mappings, "requestedClaims": requested, "subject": s, "role": r}
}
