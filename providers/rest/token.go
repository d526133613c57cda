package rest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// tokens holds the access token of a connection. One goroutine at a time asks for a new one; the
// others wait for it.
type tokens struct {
	client *Client
	conn   *connection
	turn   chan struct{} // holds one element: whoever takes it may look and renew

	id, secret string // of the OAuth2 client, once known
	token      string
	renewAt    time.Time
	missing    []string // scopes that were asked for and not granted
}

func newTokens(c *Client, conn *connection) *tokens {
	t := &tokens{client: c, conn: conn, turn: make(chan struct{}, 1), id: conn.settings.ClientID, secret: conn.settings.ClientSecret}
	t.turn <- struct{}{}
	return t
}

// get returns a token that is good for a while.
func (t *tokens) get(ctx context.Context) (string, error) {
	select {
	case <-t.turn:
		defer func() { t.turn <- struct{}{} }()
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	if t.token != "" && time.Now().Before(t.renewAt) {
		return t.token, nil
	}
	if t.id == "" {
		if err := t.register(ctx); err != nil {
			return "", err
		}
	}
	if err := t.ask(ctx); err != nil {
		return "", fmt.Errorf("asking for an access token: %w", err)
	}
	return t.token, nil
}

// drop forgets a token that was refused, unless it has been renewed already.
func (t *tokens) drop(token string) {
	<-t.turn
	defer func() { t.turn <- struct{}{} }()
	if t.token == token {
		t.token = ""
	}
}

// register makes an OAuth2 client with the product, or finds the one made earlier.
func (t *tokens) register(ctx context.Context) error {
	s := &t.conn.settings
	if s.Register == nil {
		return fmt.Errorf("no client_id, and %s has no way to register a client", s.Product)
	}
	id, secret, err := s.Register(ctx, t.client, s.user())
	if err != nil {
		return fmt.Errorf("registering an OAuth2 client: %w", err)
	}
	t.id, t.secret = id, secret
	t.conn.secrets.add(secret)
	return nil
}

// ask sends a token request.
func (t *tokens) ask(ctx context.Context) error {
	s := &t.conn.settings
	form := url.Values{"grant_type": {s.Auth}}
	if len(s.Scopes) > 0 {
		form.Set("scope", strings.Join(s.Scopes, " "))
	}
	if s.Auth == AuthPassword {
		form.Set("username", s.user())
		form.Set("password", s.Password)
	}
	var answer struct {
		AccessToken string      `json:"access_token"`
		ExpiresIn   json.Number `json:"expires_in"`
		Scope       string      `json:"scope"`
	}
	asked := time.Now()
	err := t.client.Call(ctx, Request{
		Method: http.MethodPost, Path: s.TokenPath, Raw: []byte(form.Encode()), ContentType: "application/x-www-form-urlencoded",
		Idempotent: true, Login: LoginBasic, BasicUser: t.id, BasicPassword: t.secret,
	}, &answer)
	if err != nil {
		return err
	}
	if answer.AccessToken == "" {
		return fmt.Errorf("the answer of %s holds no access_token", s.TokenPath)
	}
	t.token = answer.AccessToken
	t.conn.secrets.add(t.token)
	life := time.Hour
	if n, err := answer.ExpiresIn.Int64(); err == nil && n > 0 {
		life = time.Duration(n) * time.Second
	}
	// Both products answer with the same token again until it expires (is-behaviour 22), so one
	// that is nearly over is used to its middle rather than asked for without end.
	t.renewAt = asked.Add(life - min(time.Minute, life/2))
	t.missing = nil
	granted := strings.Fields(answer.Scope)
	for _, want := range s.Scopes {
		// Scopes that the client or user may not have are dropped without a word.
		if want != "SYSTEM" && !containsFold(granted, want) {
			t.missing = append(t.missing, want)
		}
	}
	return nil
}

// who says as whom the client acts and what its token lacks, for hints.
func (t *tokens) who() string {
	<-t.turn
	defer func() { t.turn <- struct{}{} }()
	s := &t.conn.settings
	text := fmt.Sprintf("OAuth2 client %q may not do this", t.id)
	if s.Auth == AuthPassword {
		text = fmt.Sprintf("user %q with OAuth2 client %q may not do this", s.user(), t.id)
	}
	if len(t.missing) > 0 {
		return text + "; its token lacks the scopes " + strings.Join(t.missing, ", ")
	}
	return text + ": give it the scopes or roles for it"
}
