package gateway

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// keySets are the keys of key managers, fetched when they are first needed and again when a token names one that is not among them.
type keySets struct {
	client *http.Client
	now    func() time.Time
	mu     sync.Mutex
	sets   map[string]*keySet // by URL
}

type keySet struct {
	mu      sync.Mutex
	keys    *jose.JSONWebKeySet
	fetched time.Time
}

func newKeySets(client *http.Client, now func() time.Time) *keySets {
	return &keySets{client: client, now: now, sets: map[string]*keySet{}}
}

// Between two fetches of one key set there is a second at least, so that made-up key ids do not call the key manager each time; after an hour it
// is fetched anew.
const (
	refetchAfter = time.Second
	forgetAfter  = time.Hour
)

// of returns the keys of a key manager that may have signed with a key id. Err says why there are none.
func (k *keySets) of(ctx context.Context, m *KeyManager, keyID string) (*jose.JSONWebKeySet, error) {
	if m.JWKS == "" {
		return fromPEM(m.PEM)
	}
	k.mu.Lock()
	set := k.sets[m.JWKS]
	if set == nil {
		set = &keySet{}
		k.sets[m.JWKS] = set
	}
	k.mu.Unlock()
	set.mu.Lock()
	defer set.mu.Unlock()
	age := k.now().Sub(set.fetched)
	if set.keys != nil && age < forgetAfter && (len(set.keys.Key(keyID)) > 0 || age < refetchAfter) {
		return set.keys, nil
	}
	got, err := k.fetch(ctx, m.JWKS)
	if err != nil {
		return nil, err
	}
	set.keys, set.fetched = got, k.now()
	return got, nil
}

func (k *keySets) fetch(ctx context.Context, url string) (*jose.JSONWebKeySet, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	answer, err := k.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("key set %s: status %d", url, answer.StatusCode)
	}
	var set jose.JSONWebKeySet
	if err := json.NewDecoder(io.LimitReader(answer.Body, 1<<20)).Decode(&set); err != nil {
		return nil, fmt.Errorf("key set %s: %w", url, err)
	}
	return &set, nil
}

var errNoKey = errors.New("the key manager has neither key set nor certificate")

// fromPEM makes a key set of a certificate.
func fromPEM(text []byte) (*jose.JSONWebKeySet, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errNoKey
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, err
	}
	return &jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: certificate.PublicKey}}}, nil
}
