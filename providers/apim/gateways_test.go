package apim

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"wso2plan/providers/rest"
)

// Many who ask for the gateway environments at once send one request, and who gives up while another
// waits for the server is not held.
func TestEnvironmentsAskedOnce(t *testing.T) {
	var asked atomic.Int32
	answer := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		<-answer
		w.Header().Set("Content-Type", "application/json")
		w.Write([]byte(`{"environment": [{"id": "1", "name": "Default", "vhosts": [{"host": "gw"}]}]}`))
	}))
	defer s.Close()
	p := &Provider{}
	if err := p.client.Connect(rest.Settings{Endpoint: s.URL, Username: "admin", Password: "admin"}); err != nil {
		t.Fatal(err)
	}

	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if hosts, _, err := p.environment(context.Background(), "Default"); err != nil || len(hosts) != 1 {
				t.Errorf("hosts %v, %v", hosts, err)
			}
		})
	}
	for asked.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := p.environment(ctx, "Default"); !errors.Is(err, context.Canceled) {
		t.Errorf("who gave up gets %v", err)
	}
	close(answer)
	all.Wait()
	if n := asked.Load(); n != 1 {
		t.Errorf("%d requests", n)
	}
	if id, err := p.environmentID(context.Background(), "Default"); err != nil || id != "1" {
		t.Errorf("id %q, %v", id, err)
	}
	if _, err := p.environmentID(context.Background(), "Other"); err == nil || asked.Load() != 2 {
		t.Errorf("an environment that may have been made since: %v after %d requests", err, asked.Load())
	}
}
