package apim

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"wso2plan/providers/rest"
	"wso2plan/providers/sandbox/replay"
)

// recorded loads the exchanges with API Manager's own code, by the number that begins their names.
func recorded(t *testing.T) map[string]replay.Recording {
	t.Helper()
	list, err := replay.Load(os.DirFS("../../testdata/oracle"), "apim")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]replay.Recording{}
	for _, r := range list {
		number, _, _ := strings.Cut(r.Step, "-")
		out[number] = r
	}
	if len(out) < 160 {
		t.Fatalf("only %d recordings", len(out))
	}
	return out
}

// object decodes JSON as the client does.
func object(t *testing.T, text string) map[string]any {
	t.Helper()
	var out map[string]any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&out); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return out
}

// plainJSON is v as it is written, so that types of Go do not matter.
func plainJSON(t *testing.T, v any) map[string]any {
	t.Helper()
	var b bytes.Buffer
	if err := json.NewEncoder(&b).Encode(v); err != nil {
		t.Fatal(err)
	}
	return object(t, b.String())
}

// TestRecordedKeyManagers holds what we send for a key manager against what the real code took, and
// what we read against what it answered.
func TestRecordedKeyManagers(t *testing.T) {
	all := recorded(t)
	b := &keyManagerType().Block
	read := func(text string) cty.Value {
		o := object(t, text)
		decodeKeyManager(b, o)
		v, err := rest.Decode(b, o)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, number := range []string{"002", "010", "016", "020", "023"} {
		r := all[number]
		t.Run(r.Step, func(t *testing.T) {
			sent := object(t, r.Body)
			attrs := read(r.Body).AsValueMap()
			secrets := map[string]cty.Value{}
			for name, v := range sent["additionalProperties"].(map[string]any) {
				if secretName.MatchString(name) {
					secrets[name] = str(v.(string))
				}
			}
			attrs["secret_properties"] = stringMap(secrets)
			if sent["permissions"] == nil { // absent, and empty when a request is decoded as if it were an answer
				attrs["permission_roles"] = cty.NullVal(cty.Set(cty.String))
			}
			body := rest.Encode(b, cty.ObjectVal(attrs))
			encodeKeyManager(b, body, connector{})
			delete(sent, "claimMapping") // empty, which is the same as absent
			got := plainJSON(t, body)
			if _, ok := sent["allowedOrganizations"]; !ok {
				delete(got, "allowedOrganizations") // empty by decoding a request as if it were an answer
			}
			if diff := cmp.Diff(sent, got); diff != "" {
				t.Errorf("sent (- real, + ours):\n%s", diff)
			}
		})
	}
	// An answer that comes back as a PUT is what the server holds.
	for _, number := range []string{"003", "024", "026", "029"} {
		r := all[number]
		t.Run(r.Step, func(t *testing.T) {
			body := object(t, r.Answer)
			decodeKeyManager(b, body)
			now, err := rest.Decode(b, body)
			if err != nil {
				t.Fatal(err)
			}
			rest.Overlay(b, body, now, now)
			encodeKeyManager(b, body, connector{})
			want := object(t, r.Answer)
			delete(want["additionalProperties"].(map[string]any), "self_validate_jwt")
			for name, v := range want {
				if v == nil {
					delete(want, name)
				}
			}
			got := plainJSON(t, body)
			for name, v := range got {
				if v == nil {
					delete(got, name)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("put back (- answered, + ours):\n%s", diff)
			}
			if s := knownMap(now, "additional_properties"); s["Password"] != "" || s["client_secret"] != "" || s["self_validate_jwt"] != "" {
				t.Errorf("properties show %v", s)
			}
		})
	}
	v := read(all["024"].Answer)
	if knownString(v, "alias") != "" || plain(v, "alias").IsNull() || knownString(plain(v, "certificates"), "value") != "https://km.example.com/jwks" {
		t.Errorf("read %#v", v)
	}
}

func TestRecordedPolicies(t *testing.T) {
	all := recorded(t)
	for number, kind := range map[string]string{"051": "application", "058": "application", "059": "application", "062": "subscription", "069": "subscription", "070": "subscription"} {
		r := all[number]
		c := New().typ("apim_" + kind + "_throttling_policy").(*policies)
		b := &c.Type.Block
		t.Run(r.Step, func(t *testing.T) {
			o := object(t, r.Body)
			none(t, c.Decode(o))
			v, err := rest.Decode(b, o)
			if err != nil {
				t.Fatal(err)
			}
			body := rest.Encode(b, v)
			none(t, c.Encode(body))
			want := object(t, r.Body)
			if kind == "subscription" { // always sent: apim-behaviour 0.7
				want["rateLimitCount"], want["subscriberCount"] = json.Number("0"), json.Number("0")
			}
			if diff := cmp.Diff(want, plainJSON(t, body)); diff != "" {
				t.Errorf("sent (- real, + ours):\n%s", diff)
			}
		})
	}
	c := New().typ("apim_application_throttling_policy").(*policies)
	for _, x := range object(t, all["050"].Answer)["list"].([]any) {
		o := x.(map[string]any)
		none(t, c.Decode(o))
		v, err := rest.Decode(&c.Type.Block, o)
		if err != nil {
			t.Fatal(err)
		}
		if !isObject(plain(v, "request_count")) || isObject(plain(v, "burst_limit")) || isObject(plain(v, "bandwidth")) {
			t.Errorf("read %#v", v)
		}
	}
}

func TestRecordedApplications(t *testing.T) {
	all := recorded(t)
	b := &applicationType().Block
	for _, number := range []string{"106", "113", "116"} {
		r := all[number]
		t.Run(r.Step, func(t *testing.T) {
			o := object(t, r.Body)
			v, err := rest.Decode(b, o)
			if err != nil {
				t.Fatal(err)
			}
			attrs := v.AsValueMap()
			attrs["groups"], attrs["attributes"] = cty.NullVal(cty.Set(cty.String)), cty.NullVal(cty.Map(cty.String)) // absent in the request
			want := object(t, r.Body)
			delete(want, "tokenType") // not honoured, so it is no attribute
			if diff := cmp.Diff(want, plainJSON(t, rest.Encode(b, cty.ObjectVal(attrs)))); diff != "" {
				t.Errorf("sent (- real, + ours):\n%s", diff)
			}
		})
	}
	o := object(t, all["114"].Answer)
	blankNulls(b, o)
	v, err := rest.Decode(b, o)
	if err != nil {
		t.Fatal(err)
	}
	if knownString(v, "owner") != "admin" || knownString(v, "status") != "APPROVED" || knownString(v, "visibility") != "PRIVATE" || plain(v, "groups").LengthInt() != 0 {
		t.Errorf("read %#v", v)
	}
}

func TestRecordedKeys(t *testing.T) {
	all := recorded(t)
	keys := applicationKeys(New()).(*keysType)
	planned := func(more map[string]cty.Value) cty.Value {
		return value(keys, keysOfShop("a", more))
	}
	action, body := keyRequest(planned(nil))
	want := object(t, all["119"].Body)
	want["validityTime"] = "3600" // a string by the contract of 4.5.0, which takes the number too
	if diff := cmp.Diff(want, plainJSON(t, body)); diff != "" || !strings.HasSuffix(all["119"].Path, "/"+action) {
		t.Errorf("%s: sent (- real, + ours):\n%s", action, diff)
	}
	action, body = keyRequest(planned(map[string]cty.Value{"existing_client": cty.ObjectVal(map[string]cty.Value{"consumer_key": str("mine"), "consumer_secret": str("s")})}))
	if diff := cmp.Diff(object(t, all["130"].Body), plainJSON(t, body)); diff != "" || !strings.HasSuffix(all["130"].Path, "/"+action) {
		t.Errorf("%s: sent (- real, + ours):\n%s", action, diff)
	}
	var list struct {
		List []keyRow `json:"list"`
	}
	if err := json.Unmarshal([]byte(all["125"].Answer), &list); err != nil {
		t.Fatal(err)
	}
	for i := range list.List {
		r := &list.List[i]
		v := keys.object("a", r).Value
		if knownString(v, "key_manager") != residentKeyManager || knownString(v, "callback_url") != "" || plain(v, "additional_properties").LengthInt() != 0 ||
			knownString(v, "consumer_key") == "" || knownString(v, "mode") != "CREATED" || r.stuck() {
			t.Errorf("read %#v", v)
		}
	}
	put := maps.Clone(object(t, all["127"].Body))
	put["additionalProperties"] = map[string]any{}
	put["keyMappingId"] = list.List[1].ID
	got := plainJSON(t, keys.putBody(&list.List[1], planned(map[string]cty.Value{
		"grant_types": strs("client_credentials", "password"), "callback_url": str("https://shop.example.com")})))
	if diff := cmp.Diff(put, got); diff != "" {
		t.Errorf("put (- real, + ours):\n%s", diff)
	}
}
