package apim

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestOnce holds that one asks while the others wait, that a failure is asked for again, and that
// who waits goes when its context ends.
func TestOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o once[int]
		asked := 0
		broken := errors.New("broken")
		ask := func(context.Context) (int, error) {
			asked++
			time.Sleep(time.Second)
			if asked == 1 {
				return 0, broken
			}
			return 7, nil
		}
		short, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		outcome := make(chan error, 3)
		get := func(ctx context.Context) {
			v, err := o.get(ctx, ask)
			if err == nil && v != 7 {
				t.Errorf("got %d, want 7", v)
			}
			outcome <- err
		}
		go get(t.Context())
		synctest.Wait()
		go get(short)
		go get(t.Context())
		for i, want := range []error{context.DeadlineExceeded, broken, nil} {
			if got := <-outcome; !errors.Is(got, want) {
				t.Errorf("outcome %d is %v, want %v", i+1, got, want)
			}
		}
		if _, err := o.get(t.Context(), ask); err != nil || asked != 2 {
			t.Errorf("asked %d times, %v; want 2 times", asked, err)
		}
	})
}
