package apim

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"errors"
	"net/http"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/engine"
	sandbox "wso2plan/providers/sandbox/apim"
)

// archiveOf makes an archive with files of those names, in Base64.
func archiveOf(t *testing.T, names ...string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range names {
		if _, err := w.Create(name); err != nil {
			t.Fatal(err)
		}
	}
	none(t, w.Close())
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

func TestTenantTheme(t *testing.T) {
	// The user "admin" is of the tenant acme.com.
	s := serve(t, func(o *sandbox.Options) {
		inner := o.Authenticate
		o.Authenticate = func(r *http.Request) (sandbox.Principal, bool) {
			p, ok := inner(r)
			p.Tenant = "acme.com"
			return p, ok
		}
	})
	themes := s.typ("apim_tenant_theme")
	ctx := t.Context()
	theme := func(tenant, archive string) cty.Value {
		return value(themes, map[string]cty.Value{"tenant": str(tenant), "archive": str(archive)})
	}
	// The provider is logged in without a tenant, so it takes itself to be in the super tenant.
	if _, err := themes.Find(ctx, theme("acme.com", "")); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("a theme of another tenant: %v", err)
	}
	o := must[*engine.Object](t)(themes.Create(ctx, theme("carbon.super", archiveOf(t, "a.css"))))
	if o.ID != "carbon.super" || len(knownString(o.Value, "sha256")) != 64 {
		t.Errorf("made %#v", o)
	}
	changed := must[*engine.Object](t)(themes.Update(ctx, o, theme("carbon.super", archiveOf(t, "b.css"))))
	if knownString(changed.Value, "sha256") == knownString(o.Value, "sha256") {
		t.Error("nothing was changed")
	}
	if _, err := themes.Update(ctx, o, theme("carbon.super", archiveOf(t, "c.css"))); !errors.Is(err, engine.ErrMoved) {
		t.Errorf("an edit behind our back: %v", err)
	}
	for range 2 {
		if err := themes.Delete(ctx, changed); err != nil {
			t.Error(err)
		}
	}
	if _, err := themes.Read(ctx, "carbon.super"); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("it is still there: %v", err)
	}

	problems := themes.(engine.Checker).CheckPlan(ctx, []engine.Planned{{After: theme("carbon.super", "")}, {After: theme("acme.com", "")}, {}})
	if len(problems) != 2 || problems[0].Summary != "Theme of the super tenant" || problems[1].Summary != "Theme of another tenant" {
		t.Errorf("problems %+v", problems)
	}
	for text, want := range map[string]bool{archiveOf(t, "x/a.css", "logo.svg"): true, archiveOf(t, "a.exe"): false, archiveOf(t, "dir/"): false, archiveOf(t): false, "bm8gYXJjaGl2ZQ==": false, "?": false} {
		if ok := themeArchive(str(text)) == nil; ok != want {
			t.Errorf("archive %q passes: %v", text, ok)
		}
	}
}
