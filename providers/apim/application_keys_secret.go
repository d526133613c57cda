package apim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// firstSecret is the secret_version of the secret that keys are made with.
var firstSecret = cty.NumberIntVal(1)

// renew has a new secret made in place of the one before, which is "" where the server does not
// tell it, and returns the keys with it.
//
// APIM 4.5 answers 200 also when the key manager's connector makes none: that of WSO2-IS-7 does
// nothing [java]. Nor can anything else in API Manager have one made: a PUT keeps the secret, and
// the older operation by key type is the resident key manager's alone. So we take a secret for new
// only when it is seen to be another. Version 1 is what keys are made with: keys whose making was
// cut short are completed with it, and keep their secret where there can be no other.
func (t *keysType) renew(ctx context.Context, now *engine.Object, before string, version cty.Value) (*engine.Object, error) {
	application, mapping, err := splitKeysID(now.ID)
	if err != nil {
		return nil, err
	}
	var made keyRow
	failure := t.client.Call(ctx, rest.Request{
		Method: http.MethodPost, Path: keysPath(application) + "/" + url.PathEscape(mapping) + "/regenerate-secret",
	}, &made)
	o, err := t.again(ctx, now, made.Secret)
	if err != nil {
		return now, errors.Join(failure, err)
	}
	after := knownString(o.Value, "consumer_secret")
	switch {
	case before == "" && made.Secret != "", before != "" && after != "" && after != before:
		return o, nil // also when only the answer was lost
	case failure != nil:
		return o, fmt.Errorf("making a new secret: %w", failure)
	case version.RawEquals(firstSecret):
		return o, nil
	}
	return o, &engine.AttributeError{Attribute: "secret_version", Summary: "Secret not renewed",
		Err: fmt.Errorf("API Manager was asked for a new secret and gave none, since the connector of key manager %q does not make new secrets; "+
			"use -replace=ADDRESS to have a new client made, whose consumer key is another too, or undo the change of secret_version",
			knownString(now.Value, "key_manager"))}
}

// checkRenewals refuses new secrets where the key manager's connector is known to make none.
func (t *keysType) checkRenewals(ctx context.Context, planned []engine.Planned) []engine.PlanProblem {
	renews := func(p engine.Planned) bool {
		return p.Action == engine.Update && isSet(p.After, "secret_version") && !isObject(plain(p.After, "existing_client"))
	}
	if !slices.ContainsFunc(planned, renews) {
		return nil
	}
	list, err := t.server.keyManagers(ctx, devportal)
	if err != nil {
		return nil // renew finds out by itself
	}
	types := map[string]string{}
	for _, k := range list {
		types[k.Name] = k.Type
	}
	var out []engine.PlanProblem
	for i, p := range planned {
		name := knownString(p.After, "key_manager")
		if !renews(p) || types[name] != "WSO2-IS-7" {
			continue
		}
		problem := engine.PlanProblem{Index: i, Attribute: "secret_version", Summary: "Secret cannot be renewed",
			Detail: fmt.Sprintf("Key manager %q is of type WSO2-IS-7, whose connector in API Manager makes no new secrets. Use "+
				"-replace='%s' to have a new client made, whose consumer key is another too, or undo the change of secret_version.", name, p.Address)}
		if plain(p.After, "secret_version").RawEquals(firstSecret) {
			problem.Warning, problem.Summary = true, "Secret stays"
			problem.Detail = fmt.Sprintf("Key manager %q is of type WSO2-IS-7, whose connector in API Manager makes no new secrets, so these keys keep "+
				"the one that they have. Use -replace='%s' to have a new client made; its consumer key is another too.", name, p.Address)
		}
		out = append(out, problem)
	}
	return out
}
