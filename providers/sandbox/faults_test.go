package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"wso2plan/providers/sandbox/fault"
)

// TestSenderGoesAway has keys made for a client that does not wait: what it began is done to its end on both servers.
func TestSenderGoesAway(t *testing.T) {
	script := fault.New()
	s := start(t, Options{Faults: script})
	c := client(s)
	if status, answer := send(t, c, "POST", s.APIM()+"/api/am/admin/v4/key-managers", keyManager("https://issuer.example")); status != 201 {
		t.Fatalf("key manager: %d %v", status, answer)
	}
	status, app := send(t, c, "POST", s.APIM()+"/api/am/devportal/v3/applications", map[string]any{"name": "web", "throttlingPolicy": "Unlimited", "tokenType": "JWT"})
	if status != 201 {
		t.Fatalf("application: %d %v", status, app)
	}
	for until := time.Now().Add(3 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if _, list := send(t, c, "GET", s.APIM()+"/api/am/devportal/v3/key-managers", nil); list["count"] == float64(2) || time.Now().After(until) {
			break
		}
	}
	where := s.APIM() + "/api/am/devportal/v3/applications/" + app["applicationId"].(string)
	body, err := json.Marshal(map[string]any{"keyType": "PRODUCTION", "keyManager": "IS7", "grantTypesToBeSupported": []string{"password"}, "validityTime": "3600", "scopes": []string{}})
	if err != nil {
		t.Fatal(err)
	}
	script.Set(fault.Fault{Server: "is", Method: "POST", Path: "**/register", Kind: fault.Delay, Wait: 300 * time.Millisecond})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "POST", where+"/generate-keys", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth("admin", "admin")
	if _, err := c.Do(r); err == nil {
		t.Fatal("the client waited")
	}
	if err := script.Quiet(t.Context()); err != nil {
		t.Fatal(err)
	}
	if script.Hits() != 1 {
		t.Fatalf("%d registrations were delayed", script.Hits())
	}
	_, keys := send(t, c, "GET", where+"/oauth-keys", nil)
	list, _ := keys["list"].([]any)
	if len(list) != 1 || list[0].(map[string]any)["consumerKey"] == nil {
		t.Errorf("keys %v", keys)
	}
}
