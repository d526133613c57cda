package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"wso2plan/providers/sandbox"
)

// A dial opens connections; nil is package net's.
type dial = func(ctx context.Context, network, address string) (net.Conn, error)

// live reads and changes what a sandbox holds, as somebody else would: past wso2plan.
type live struct {
	s    *sandbox.Sandbox
	http *http.Client
}

func newLive(s *sandbox.Sandbox, dial dial) live {
	return live{s, &http.Client{Transport: &http.Transport{
		DialContext:       dial,
		TLSClientConfig:   &tls.Config{RootCAs: s.Pool()},
		DisableKeepAlives: true,
	}}}
}

// A kind is a collection of objects, as scripts call it: users/ann is the user ann.
type kind struct {
	server, path string
	name, id     string // members of an object
	list         string // member of a listing
}

var kinds = map[string]kind{
	"users":                {"is", "/scim2/Users", "userName", "id", "Resources"},
	"groups":               {"is", "/scim2/Groups", "displayName", "id", "Resources"},
	"roles":                {"is", "/scim2/v2/Roles", "displayName", "id", "Resources"},
	"applications":         {"apim", "/api/am/devportal/v3/applications", "name", "applicationId", "list"},
	"key-managers":         {"apim", "/api/am/admin/v4/key-managers", "name", "id", "list"},
	"application-policies": {"apim", "/api/am/admin/v4/throttling/policies/application", "policyName", "policyId", "list"},
	"plans":                {"apim", "/api/am/admin/v4/throttling/policies/subscription", "policyName", "policyId", "list"},
	"advanced-policies":    {"apim", "/api/am/admin/v4/throttling/policies/advanced", "policyName", "policyId", "list"},
	"apis":                 {"apim", "/api/am/publisher/v4/apis", "name", "id", "list"},
}

// change sends a request as admin. path is one of the servers' or KIND/NAME/…. The body of a PUT is
// laid over what a GET answers, so that it says only what changes.
func (l live) change(method, path string, body []byte) error {
	server, path, err := l.resolve(path)
	if err != nil {
		return err
	}
	if method == http.MethodPut && len(body) > 0 {
		now, err := l.send(server, http.MethodGet, path, nil)
		if err != nil {
			return err
		}
		var over map[string]any
		if err := json.Unmarshal(body, &over); err != nil {
			return err
		}
		maps.Copy(now, over)
		if body, err = json.Marshal(now); err != nil {
			return err
		}
	}
	_, err = l.send(server, method, path, body)
	return err
}

// resolve returns the server and the path that path stands for, with ids in the place of names.
func (l live) resolve(path string) (server, real string, err error) {
	if strings.HasPrefix(path, "/") {
		if strings.HasPrefix(path, "/api/am/") {
			return "apim", path, nil
		}
		return "is", path, nil
	}
	collection, rest, named := strings.Cut(path, "/")
	k, ok := kinds[collection]
	if !ok {
		return "", "", fmt.Errorf("no kind of object %q", collection)
	}
	if !named {
		return k.server, k.path, nil
	}
	name, rest, more := strings.Cut(rest, "/")
	objects, err := l.objects(k)
	if err != nil {
		return "", "", err
	}
	for _, o := range objects {
		if strings.EqualFold(fmt.Sprint(o[k.name]), name) {
			real = k.path + "/" + url.PathEscape(fmt.Sprint(o[k.id]))
			if more {
				real += "/" + rest
			}
			return k.server, real, nil
		}
	}
	return "", "", fmt.Errorf("no object %q among %s", name, collection)
}

// names returns the sorted names of the objects of a kind.
func (l live) names(collection string) ([]string, error) {
	k, ok := kinds[collection]
	if !ok {
		return nil, fmt.Errorf("no kind of object %q", collection)
	}
	if collection == "apis" {
		time.Sleep(400 * time.Millisecond) // a list of APIs lags 300 ms
	}
	objects, err := l.objects(k)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, o := range objects {
		names = append(names, fmt.Sprint(o[k.name]))
	}
	slices.Sort(names)
	return names, nil
}

// objects lists the objects of a kind, page by page.
func (l live) objects(k kind) ([]map[string]any, error) {
	var all []map[string]any
	for {
		query := fmt.Sprintf("?limit=100&offset=%d", len(all))
		if k.server == "is" {
			query = fmt.Sprintf("?count=100&startIndex=%d", len(all)+1)
		}
		page, err := l.send(k.server, http.MethodGet, k.path+query, nil)
		if err != nil {
			return nil, err
		}
		objects, _ := page[k.list].([]any)
		for _, o := range objects {
			all = append(all, o.(map[string]any))
		}
		if len(objects) < 100 || !strings.Contains(k.path, "/scim2/") && k.name == "policyName" {
			return all, nil
		}
	}
}

func (l live) send(server, method, path string, body []byte) (map[string]any, error) {
	base := l.s.IS()
	if server == "apim" {
		base = l.s.APIM()
	}
	req, err := http.NewRequest(method, base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.SetBasicAuth("admin", "admin")
	if len(body) > 0 {
		req.Header.Set("Content-Type", "application/json")
		if server == "is" {
			req.Header.Set("Content-Type", "application/scim+json")
		}
	}
	res, err := l.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	if res.StatusCode >= 300 {
		return nil, fmt.Errorf("%s %s: %s: %s", method, path, res.Status, text)
	}
	var document map[string]any
	if len(text) > 0 {
		if err := json.Unmarshal(text, &document); err != nil {
			return nil, fmt.Errorf("%s %s: %w", method, path, err)
		}
	}
	return document, nil
}
