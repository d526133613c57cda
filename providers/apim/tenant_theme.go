package apim

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// themeFiles are the kinds of file that a theme may hold; API Manager answers 500 to others [seen in
// its code].
var themeFiles = []string{"css", "jpg", "png", "gif", "svg", "ttf", "html", "js", "json", "ico"}

// tenantThemeType is the table of apim_tenant_theme (apim-behaviour 3.9).
func tenantThemeType() *schema.Type {
	return &schema.Type{
		Name: "apim_tenant_theme",
		Doc: "How the portals of a tenant look: an archive of styles, images and settings. The super tenant has none, so the provider must log in to " +
			"the tenant. API Manager cannot delete a theme; destroying it stores an archive without files, with which the portals look as they do without one.",
		Key: []string{"tenant"},
		Block: schema.Block{Attributes: []schema.Attribute{
			{Name: "id", Type: cty.String, ReadOnly: true, Doc: "The tenant."},
			{Name: "tenant", Type: cty.String, Required: true, Validate: notBlank, Doc: "Domain of the tenant, that of the provider's user."},
			{Name: "archive", Type: cty.String, Required: true, Sensitive: true, Validate: themeArchive, Normalize: archiveHash,
				Doc: "The zip archive in Base64, such as `filebase64(\"theme.zip\")`. It is compared by its hash, and not shown for its length."},
			{Name: "sha256", Type: cty.String, ReadOnly: true, ChangesWith: []string{"archive"}, Doc: "SHA-256 of the archive."},
		}},
	}
}

// tenantTheme is how the portals of a tenant look.
func tenantTheme(p *Provider) engine.Type {
	return &tenantThemes{client: &p.client, table: tenantThemeType(), path: admin + "/tenant-theme"}
}

// tenantThemes is the type apim_tenant_theme.
type tenantThemes struct {
	client *rest.Client
	table  *schema.Type
	path   string
}

var _ engine.Type = (*tenantThemes)(nil)

// Schema returns the table.
func (t *tenantThemes) Schema() *schema.Type { return t.table }

// Read returns the theme of the provider's tenant.
func (t *tenantThemes) Read(ctx context.Context, id string) (*engine.Object, error) {
	if id != t.client.Settings().TenantName() {
		return nil, fmt.Errorf("the provider is logged in to the tenant %q, not to %q: %w", t.client.Settings().TenantName(), id, engine.ErrNotFound)
	}
	res, err := t.client.Do(ctx, rest.Request{Path: t.path, Accept: "application/zip, application/json"})
	if err != nil {
		return nil, err
	}
	if files, err := zip.NewReader(bytes.NewReader(res.Body), int64(len(res.Body))); err == nil && len(files.File) == 0 {
		return nil, fmt.Errorf("the theme of %q holds no files: %w", id, engine.ErrNotFound)
	}
	sum := sha256Hex(res.Body)
	return &engine.Object{ID: id, Value: t.table.Object(map[string]cty.Value{"id": cty.StringVal(id), "tenant": cty.StringVal(id),
		"archive": cty.StringVal(hashPrefix + sum), "sha256": cty.StringVal(sum)})}, nil
}

// Find returns the theme of the tenant that wanted names.
func (t *tenantThemes) Find(ctx context.Context, wanted cty.Value) (*engine.Object, error) {
	return t.Read(ctx, knownString(wanted, "tenant"))
}

// Create stores a theme.
func (t *tenantThemes) Create(ctx context.Context, planned cty.Value) (*engine.Object, error) {
	return t.store(ctx, knownString(planned, "tenant"), planned)
}

// Update stores another theme.
func (t *tenantThemes) Update(ctx context.Context, live *engine.Object, planned cty.Value) (*engine.Object, error) {
	now, err := t.Read(ctx, live.ID)
	if err != nil {
		return nil, err
	}
	if err := rest.Moved(&t.table.Block, live.Value, planned, now.Value); err != nil {
		return nil, rest.Unwritten(err)
	}
	if strings.HasPrefix(knownString(planned, "archive"), hashPrefix) {
		return now, nil // what is there, and nothing else to change
	}
	return t.store(ctx, live.ID, planned)
}

func (t *tenantThemes) store(ctx context.Context, tenant string, planned cty.Value) (*engine.Object, error) {
	archive, err := base64.StdEncoding.DecodeString(knownString(planned, "archive"))
	if err != nil {
		return nil, rest.Unwritten(&engine.AttributeError{Attribute: "archive", Err: err})
	}
	if err := t.send(ctx, archive); err != nil {
		return nil, err
	}
	o, err := t.Read(ctx, tenant)
	if err != nil {
		return nil, fmt.Errorf("the theme was stored, but could not be read: %w", rest.Unfound(err))
	}
	return o, nil
}

func (t *tenantThemes) send(ctx context.Context, archive []byte) error {
	return t.client.Call(ctx, formRequest(http.MethodPut, t.path, formPart{name: "file", file: "theme.zip", text: string(archive)}), nil)
}

// Delete stores an archive without files. APIM 4.5 has no deletion; such an archive empties the
// folder of the theme.
func (t *tenantThemes) Delete(ctx context.Context, live *engine.Object) error {
	if _, err := t.Read(ctx, live.ID); err != nil {
		if errors.Is(err, engine.ErrNotFound) {
			return nil
		}
		return err
	}
	var none bytes.Buffer
	if err := zip.NewWriter(&none).Close(); err != nil {
		return rest.Unwritten(err)
	}
	return t.send(ctx, none.Bytes())
}

// CheckPlan refuses themes of other tenants than the provider's, and of the super tenant.
func (t *tenantThemes) CheckPlan(_ context.Context, planned []engine.Planned) []engine.PlanProblem {
	own := t.client.Settings().TenantName()
	var out []engine.PlanProblem
	for i := range planned {
		p := &planned[i]
		tenant := knownString(p.After, "tenant")
		if !isObject(p.After) || tenant == "" {
			continue
		}
		switch {
		case tenant == rest.SuperTenant:
			out = append(out, engine.PlanProblem{Index: i, Attribute: "tenant", Summary: "Theme of the super tenant",
				Detail: "API Manager keeps no theme for the super tenant, whose portals are files on the server. Name a tenant, and set it in the provider block too."})
		case tenant != own:
			out = append(out, engine.PlanProblem{Index: i, Attribute: "tenant", Summary: "Theme of another tenant",
				Detail: fmt.Sprintf("The provider is logged in to the tenant %q, and can set its theme alone, not that of %q. Make an alias of the provider with that tenant.", own, tenant)})
		}
	}
	return out
}

// hashPrefix begins what stands for an archive that was read.
const hashPrefix = "sha256:"

// archiveHash is the normal form of an archive: its hash.
func archiveHash(v cty.Value) cty.Value {
	text := v.AsString()
	if strings.HasPrefix(text, hashPrefix) {
		return v
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return v
	}
	return cty.StringVal(hashPrefix + sha256Hex(b))
}

// themeArchive refuses what API Manager refuses, and what it takes for an archive without files.
func themeArchive(v cty.Value) error {
	b, err := base64.StdEncoding.DecodeString(v.AsString())
	if err != nil {
		return errors.New("it is not Base64; read the archive with filebase64")
	}
	archive, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return errors.New("it is no zip archive")
	}
	files := 0
	for _, f := range archive.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		files++
		if kind := strings.TrimPrefix(path.Ext(f.Name), "."); !slices.Contains(themeFiles, kind) {
			return fmt.Errorf("the file %q is of a kind that API Manager refuses in themes; it takes %s", f.Name, listed(themeFiles))
		}
	}
	if files == 0 {
		return errors.New("the archive holds no files")
	}
	return nil
}
