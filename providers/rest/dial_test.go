package rest

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
)

// TestDial holds that connections are opened as Settings say.
func TestDial(t *testing.T) {
	none := errors.New("no way there")
	var c Client
	called := ""
	err := c.Connect(Settings{Product: "Identity Server", Env: "IS", Endpoint: "https://is.example:9443", Username: "u", Password: "p", RetryWait: 1,
		Dial: func(_ context.Context, network, address string) (net.Conn, error) {
			called = network + " " + address
			return nil, none
		}})
	if err != nil {
		t.Fatal(err)
	}
	err = c.Get(t.Context(), "/scim2/Users", nil, nil)
	if called != "tcp is.example:9443" || err == nil || !strings.Contains(err.Error(), none.Error()) {
		t.Errorf("called %q, %v", called, err)
	}
}
