package oauth

import (
	"html/template"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// codeLifetime is how long an authorization code can be exchanged (is-behaviour 18).
const codeLifetime = 300 * time.Second

var loginPage = template.Must(template.New("login").Parse(`<!doctype html>
<title>Sign in</title>
<form method="post" action="{{.Action}}">
{{if .Failed}}<p>Login failed.</p>
{{end}}{{range $name, $value := .Hidden}}<input type="hidden" name="{{$name}}" value="{{$value}}">
{{end}}<input name="username" autofocus> <input name="password" type="password"> <button>Sign in</button>
</form>
`))

// login finds who logs in: by Basic credentials or by the form's username and password. Without any, or with wrong ones, it shows the form.
func (s *Server) login(w http.ResponseWriter, r *http.Request) (User, bool) {
	name, password, given := r.BasicAuth()
	if !given {
		name, password = r.PostForm.Get("username"), r.PostForm.Get("password")
		given = name != ""
	}
	if given {
		if u, ok := s.opts.Users.Login(name, password); ok {
			return u, true
		}
	}
	hidden := map[string]string{}
	for key, values := range r.Form {
		if key != "username" && key != "password" {
			hidden[key] = values[0]
		}
	}
	w.Header().Set("Content-Type", "text/html;charset=UTF-8")
	if given {
		w.WriteHeader(http.StatusUnauthorized)
	}
	_ = loginPage.Execute(w, map[string]any{"Action": r.URL.Path, "Hidden": hidden, "Failed": given})
	return User{}, false
}

func (s *Server) serveAuthorize(w http.ResponseWriter, r *http.Request) {
	if !parseForm(w, r) {
		return
	}
	id, redirect := r.Form.Get("client_id"), r.Form.Get("redirect_uri")
	c, err := s.Client(id)
	if err != nil {
		s.errorPage(w, r, "invalid_client", "A valid OAuth client could not be found for client_id: "+id)
		return
	}
	if redirect == "" && len(c.RedirectURIs) == 1 && !strings.HasPrefix(c.RedirectURIs[0], "regexp=") {
		redirect = c.RedirectURIs[0]
	}
	if !c.redirectsTo(redirect) {
		s.errorPage(w, r, "invalid_callback", "Registered callback does not match with the provided url.")
		return
	}
	back := func(values url.Values) {
		if state := r.Form.Get("state"); state != "" {
			values.Set("state", state)
		}
		u, err := url.Parse(redirect)
		if err != nil {
			s.errorPage(w, r, "invalid_callback", "Registered callback does not match with the provided url.")
			return
		}
		q := u.Query()
		for key := range values {
			q.Set(key, values.Get(key))
		}
		u.RawQuery = q.Encode()
		http.Redirect(w, r, u.String(), http.StatusFound)
	}
	failed := func(code, description string) { back(url.Values{"error": {code}, "error_description": {description}}) }
	challenge, method := r.Form.Get("code_challenge"), r.Form.Get("code_challenge_method")
	if method == "" {
		method = "plain"
	}
	switch {
	case r.Form.Get("response_type") != "code":
		failed("unsupported_response_type", "Only response_type=code is supported")
		return
	case !slices.Contains(c.GrantTypes, AuthorizationCode):
		failed("unauthorized_client", "The client is not authorized to use the authorization code grant")
		return
	case c.PKCE && challenge == "":
		failed("invalid_request", "PKCE is mandatory for this application. PKCE Challenge is not provided or is not upto RFC 7636 specification.")
		return
	case challenge != "" && method != "S256" && (method != "plain" || !c.PKCEPlain):
		failed("invalid_request", "This application does not support \""+method+"\" transformation algorithm.")
		return
	}
	u, ok := s.login(w, r)
	if !ok {
		return
	}
	made := &code{
		client: c.ID, redirect: r.Form.Get("redirect_uri"), challenge: challenge, method: method, nonce: r.Form.Get("nonce"),
		user: u, scopes: strings.Fields(r.Form.Get("scope")), expires: s.opts.Now().Add(codeLifetime),
	}
	text := NewID()
	s.mu.Lock()
	s.codes[text] = made
	s.mu.Unlock()
	back(url.Values{"code": {text}, "session_state": {randomText(32)}})
}

// errorPage sends the browser to the server's own error page: an error that may not be sent to an unconfirmed address.
func (s *Server) errorPage(w http.ResponseWriter, r *http.Request, code, message string) {
	q := url.Values{"oauthErrorCode": {code}, "oauthErrorMsg": {message}}
	http.Redirect(w, r, s.opts.Base+"/authenticationendpoint/oauth2_error.do?"+q.Encode(), http.StatusFound)
}

// redirectsTo says whether a client may be answered at an address.
func (c Client) redirectsTo(address string) bool {
	for _, registered := range c.RedirectURIs {
		pattern, isPattern := strings.CutPrefix(registered, "regexp=")
		if !isPattern {
			if registered == address {
				return true
			}
			continue
		}
		if re, err := regexp.Compile(`\A(?:` + pattern + `)\z`); err == nil && re.MatchString(address) {
			return true
		}
	}
	return false
}

// A device is a login that waits for its user.
type device struct {
	client, userCode string
	scopes           []string
	user             *User // once approved
	expires, asked   time.Time
}

// deviceLifetime is how long a device code is good.
const deviceLifetime = 600 * time.Second

func (s *Server) serveDeviceAuthorize(w http.ResponseWriter, r *http.Request) {
	if !parseForm(w, r) {
		return
	}
	c, err := s.Client(r.PostForm.Get("client_id"))
	if err != nil {
		writeRefusal(w, refuse(http.StatusUnauthorized, "invalid_client", "A valid OAuth client could not be found"))
		return
	}
	if !slices.Contains(c.GrantTypes, DeviceCode) {
		writeRefusal(w, refuse(http.StatusBadRequest, "unauthorized_client", "The authenticated client is not authorized to use this authorization grant type"))
		return
	}
	text, userCode := NewID(), strings.ToUpper(strings.ReplaceAll(randomText(6), "_", "x"))
	s.mu.Lock()
	s.pending[text] = &device{client: c.ID, userCode: userCode, scopes: strings.Fields(r.PostForm.Get("scope")), expires: s.opts.Now().Add(deviceLifetime)}
	s.mu.Unlock()
	page := s.opts.Base + "/authenticationendpoint/device.do"
	writeJSON(w, http.StatusOK, map[string]any{
		"device_code": text, "user_code": userCode, "verification_uri": page, "verification_uri_complete": page + "?user_code=" + userCode,
		"expires_in": int64(deviceLifetime.Seconds()), "interval": int64(s.devices.Seconds()),
	})
}

// serveDevice is the page where a user approves a device.
func (s *Server) serveDevice(w http.ResponseWriter, r *http.Request) {
	if !parseForm(w, r) {
		return
	}
	u, ok := s.login(w, r)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.pending {
		if d.userCode == r.Form.Get("user_code") && d.user == nil && d.expires.After(s.opts.Now()) {
			d.user = &u
			w.Header().Set("Content-Type", "text/html;charset=UTF-8")
			_, _ = w.Write([]byte("<!doctype html><title>Done</title><p>The device may go on.\n"))
			return
		}
	}
	http.Error(w, "invalid user code", http.StatusBadRequest)
}

func (s *Server) byDevice(c Client, form url.Values) (outcome, *refusal) {
	now := s.opts.Now()
	text := form.Get("device_code")
	s.mu.Lock()
	d, ok := s.pending[text]
	switch {
	case !ok || d.client != c.ID:
		s.mu.Unlock()
		return outcome{}, refuse(http.StatusBadRequest, "invalid_grant", "Invalid device code")
	case d.expires.Before(now):
		delete(s.pending, text)
		s.mu.Unlock()
		return outcome{}, refuse(http.StatusBadRequest, "expired_token", "Device code is expired")
	case d.user == nil && now.Sub(d.asked) < s.devices:
		d.asked = now
		s.mu.Unlock()
		return outcome{}, refuse(http.StatusBadRequest, "slow_down", "Forbidden")
	case d.user == nil:
		d.asked = now
		s.mu.Unlock()
		return outcome{}, refuse(http.StatusBadRequest, "authorization_pending", "Precondition required")
	}
	delete(s.pending, text)
	s.mu.Unlock()
	return s.issue(c, d.user, d.scopes)
}
