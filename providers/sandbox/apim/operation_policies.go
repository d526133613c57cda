package apim

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// An operationPolicy is a policy that APIs can use: a common one, or one of a single API. APIs that use a common one have a clone of it.
type operationPolicy struct {
	ID         string              `json:"id"`
	ClonedFrom string              `json:"clonedFrom,omitempty"`
	Spec       operationPolicySpec `json:"spec"`
	Synapse    *storedFile         `json:"synapse,omitempty"`
	Connect    *storedFile         `json:"connect,omitempty"`
	SpecText   []byte              `json:"specText"` // as it was uploaded
}

func (p *operationPolicy) rowID() string { return p.ID }

// storedFile is a file as it was uploaded.
type storedFile struct {
	Name    string `json:"name"`
	Kind    string `json:"kind,omitempty"` // its media type
	Content []byte `json:"content"`
}

// operationPolicySpec is the data of a policy specification.
type operationPolicySpec struct {
	Category    string            `json:"category"`
	Name        string            `json:"name"`
	Version     string            `json:"version"`
	DisplayName string            `json:"displayName"`
	Description string            `json:"description"`
	Flows       []string          `json:"applicableFlows"`
	Gateways    []string          `json:"supportedGateways"`
	APITypes    []any             `json:"supportedApiTypes"`
	Attributes  []policyAttribute `json:"policyAttributes"`
}

// policyAttribute is the DTO OperationPolicySpecAttribute.
type policyAttribute struct {
	Name            *string  `json:"name"`
	DisplayName     *string  `json:"displayName"`
	Description     *string  `json:"description"`
	ValidationRegex *string  `json:"validationRegex"`
	Type            *string  `json:"type"`
	Required        bool     `json:"required"`
	DefaultValue    *string  `json:"defaultValue"`
	AllowedValues   []string `json:"allowedValues"`
}

func operationPolicyRoutes() []route {
	view := []string{"apim:common_operation_policy_view", "apim:common_operation_policy_manage", "apim:policies_import_export"}
	manage := []string{"apim:common_operation_policy_manage"}
	apiView := []string{"apim:api_view", "apim:api_manage", "apim:mediation_policy_view", "apim:mediation_policy_manage", "apim:api_mediation_policy_manage"}
	apiManage := []string{"apim:api_manage", "apim:mediation_policy_create", "apim:mediation_policy_manage", "apim:api_mediation_policy_manage"}
	content := func(r route) route { r.produces = ""; return r }
	const at, own = "/operation-policies", "/apis/{api}/operation-policies"
	return []route{
		get(publisher, at, view, listOperationPolicies),
		form(post(publisher, at, manage, addOperationPolicy)),
		get(publisher, at+"/{policy}", view, readOperationPolicy),
		remove(publisher, at+"/{policy}", append(slices.Clone(manage), "apim:policies_import_export"), deleteOperationPolicy),
		content(get(publisher, at+"/{policy}/content", view[:2], operationPolicyContent)),
		get(publisher, own, apiView, listOwnPolicies),
		form(post(publisher, own, apiManage, addOwnPolicy)),
		get(publisher, own+"/{policy}", apiView, readOwnPolicy),
		remove(publisher, own+"/{policy}", apiManage, deleteOwnPolicy),
		content(get(publisher, own+"/{policy}/content", apiView, ownPolicyContent)),
	}
}

// shown is the DTO OperationPolicyData.
func (p *operationPolicy) shown(specific bool) map[string]any {
	attributes := p.Spec.Attributes
	if attributes == nil {
		attributes = []policyAttribute{}
	}
	var sum any
	if p.Synapse != nil || p.Connect != nil {
		sum = p.sum()
	}
	return map[string]any{"category": p.Spec.Category, "id": p.ID, "name": p.Spec.Name, "version": p.Spec.Version, "displayName": p.Spec.DisplayName,
		"description": p.Spec.Description, "applicableFlows": p.Spec.Flows, "supportedGateways": p.Spec.Gateways, "supportedApiTypes": p.Spec.APITypes,
		"isAPISpecific": specific, "md5": sum, "policyAttributes": attributes}
}

// sum stands for the content; the field is called md5 and holds another one (seen).
func (p *operationPolicy) sum() string {
	h := sha256.New()
	h.Write(p.SpecText)
	for _, f := range []*storedFile{p.Synapse, p.Connect} {
		if f != nil {
			h.Write(f.Content)
		}
	}
	return `{"hash":"` + hex.EncodeToString(h.Sum(nil)) + `","algorithm":"SHA-256"}`
}

// listPolicies answers a list with the pagination of policies, whose links are null.
func listPolicies(c *call, all []*operationPolicy, specific bool) *answer {
	query := c.request.URL.Query().Get("query")
	out := []map[string]any{}
	for _, p := range all {
		matches := true
		for _, word := range queryWords(query) {
			name, value, _ := strings.Cut(word, ":")
			value = strings.Trim(value, `"`)
			matches = matches && (name != "name" || p.Spec.Name == value) && (name != "version" || p.Spec.Version == value)
		}
		if matches {
			out = append(out, p.shown(specific))
		}
	}
	cut, bad := c.cut(len(out))
	if bad != nil {
		return bad
	}
	shown := out[cut.from:cut.to]
	limit, _, _ := c.limits()
	return ok(map[string]any{"count": len(shown), "list": shown, "pagination": map[string]any{"offset": cut.from, "limit": limit, "total": len(out),
		"next": nil, "previous": nil}})
}

func listOperationPolicies(c *call) *answer {
	return listPolicies(c, c.tenant.OperationPolicies.values(), false)
}

// specError is what is wrong with a specification, in the server's words.
type specError []string

func (e specError) Error() string {
	return fmt.Sprintf("Policy specification validation failure. %d validation error(s) found. Error(s) :[%s]", len(e), strings.Join(e, ", "))
}

// policySpec reads a specification: YAML or JSON whose data names the policy. An error says what is missing in the words of the server's schema.
func policySpec(file []byte) (operationPolicySpec, error) {
	var spec operationPolicySpec
	parsed, err := parseTree(file)
	if err != nil {
		return spec, err
	}
	root, _ := parsed.(*tree)
	data := root.object("data")
	if data == nil {
		data = root
	}
	var missing []string
	for _, name := range []string{"category", "name", "displayName", "version", "applicableFlows", "supportedGateways", "supportedApiTypes"} {
		if data.get(name) == nil {
			missing = append(missing, "#: required key ["+name+"] not found")
		}
	}
	if len(missing) > 0 {
		return spec, specError(missing)
	}
	text, err := json.Marshal(data)
	if err != nil {
		return spec, err
	}
	if err := json.Unmarshal(text, &spec); err != nil {
		return spec, specError{err.Error()}
	}
	for i := range spec.Attributes {
		if spec.Attributes[i].AllowedValues == nil {
			spec.Attributes[i].AllowedValues = []string{}
		}
	}
	return spec, nil
}

// newPolicy reads the form of a new policy. Without a specification there is nothing to do: 204.
func (c *call) newPolicy(failing string) (*operationPolicy, *answer) {
	file, given := c.fields["policySpecFile"]
	if !given {
		return nil, empty(http.StatusNoContent)
	}
	spec, err := policySpec([]byte(file.text))
	if err != nil {
		return nil, internal(failing + err.Error())
	}
	p := &operationPolicy{ID: newID(), Spec: spec, SpecText: []byte(file.text)}
	if f, given := c.fields["synapsePolicyDefinitionFile"]; given {
		p.Synapse = &storedFile{Name: f.name, Content: []byte(f.text)}
	}
	if f, given := c.fields["ccPolicyDefinitionFile"]; given {
		p.Connect = &storedFile{Name: f.name, Content: []byte(f.text)}
	}
	return p, nil
}

// samePolicy finds a policy of a name and version.
func samePolicy(list []*operationPolicy, name, version string) *operationPolicy {
	if i := slices.IndexFunc(list, func(p *operationPolicy) bool { return p.Spec.Name == name && p.Spec.Version == version }); i >= 0 {
		return list[i]
	}
	return nil
}

func addOperationPolicy(c *call) *answer {
	const failing = "Error while adding a common operation policy."
	p, bad := c.newPolicy(failing)
	if bad != nil {
		return bad
	}
	if samePolicy(c.tenant.OperationPolicies.list, p.Spec.Name, p.Spec.Version) != nil {
		return internal(failing + "Existing common operation policy found for the same name.") // 500, not 409 (seen)
	}
	c.tenant.OperationPolicies.add(p)
	return created(publisher.base+"/operation-policies/"+p.ID, p.shown(false))
}

func policyNotFound(id string) *answer { return notFound("operation-policies", id) }

func readOperationPolicy(c *call) *answer {
	p := c.tenant.OperationPolicies.get(c.vars["policy"])
	if p == nil {
		return policyNotFound(c.vars["policy"])
	}
	return ok(p.shown(false))
}

// deleteOperationPolicy removes a common policy. APIs that use it keep their clones.
func deleteOperationPolicy(c *call) *answer {
	if c.tenant.OperationPolicies.get(c.vars["policy"]) == nil {
		return policyNotFound(c.vars["policy"])
	}
	c.tenant.OperationPolicies.remove(c.vars["policy"])
	return empty(http.StatusOK)
}

func operationPolicyContent(c *call) *answer {
	p := c.tenant.OperationPolicies.get(c.vars["policy"])
	if p == nil {
		return policyNotFound(c.vars["policy"])
	}
	return p.archive()
}

// archive is a zip of the files of a policy.
func (p *operationPolicy) archive() *answer {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	add := func(ending string, content []byte) error {
		w, err := z.Create(p.Spec.Name + "/" + p.Spec.Name + ending)
		if err != nil {
			return err
		}
		_, err = w.Write(content)
		return err
	}
	err := add(".yaml", p.SpecText)
	if p.Synapse != nil && err == nil {
		err = add(".j2", p.Synapse.Content)
	}
	if p.Connect != nil && err == nil {
		err = add(".gotmpl", p.Connect.Content)
	}
	if err != nil || z.Close() != nil {
		return internal("")
	}
	return &answer{status: http.StatusOK, kind: "application/zip", download: p.Spec.Name + "_" + p.Spec.Version + ".zip", body: b.Bytes()}
}

// ownPolicy finds a policy of the API of the path.
func (c *call) ownPolicy() (*apiRecord, *operationPolicy, *answer) {
	a, bad := c.ownAPI(c.vars["api"])
	if bad != nil {
		return nil, nil, bad
	}
	for i := range a.Policies {
		if a.Policies[i].ID == c.vars["policy"] {
			return a, &a.Policies[i], nil
		}
	}
	return nil, nil, policyNotFound(c.vars["policy"])
}

// listOwnPolicies lists the policies of an API, without the clones of common ones.
func listOwnPolicies(c *call) *answer {
	a, bad := c.ownAPI(c.vars["api"])
	if bad != nil {
		return bad
	}
	var own []*operationPolicy
	for i := range a.Policies {
		if a.Policies[i].ClonedFrom == "" {
			own = append(own, &a.Policies[i])
		}
	}
	return listPolicies(c, own, true)
}

func addOwnPolicy(c *call) *answer {
	a, bad := c.ownAPI(c.vars["api"])
	if bad != nil {
		return bad
	}
	const failing = "Error while adding an API specific operation policy."
	p, bad := c.newPolicy(failing)
	if bad != nil {
		return bad
	}
	for _, other := range a.Policies {
		if other.ClonedFrom == "" && other.Spec.Name == p.Spec.Name && other.Spec.Version == p.Spec.Version {
			return internal(failing + "An API specific operation policy found for the same name.")
		}
	}
	changed := *a
	changed.Policies = append(slices.Clone(a.Policies), *p)
	c.keepAPI(&changed)
	return created(publisher.base+"/apis/"+a.ID+"/operation-policies/"+p.ID, p.shown(true))
}

func readOwnPolicy(c *call) *answer {
	_, p, bad := c.ownPolicy()
	if bad != nil {
		return bad
	}
	return ok(p.shown(true))
}

func deleteOwnPolicy(c *call) *answer {
	a, p, bad := c.ownPolicy()
	if bad != nil {
		return bad
	}
	id := p.ID
	changed := *a
	changed.Policies = slices.DeleteFunc(slices.Clone(a.Policies), func(p operationPolicy) bool { return p.ID == id })
	c.keepAPI(&changed)
	return empty(http.StatusOK)
}

func ownPolicyContent(c *call) *answer {
	_, p, bad := c.ownPolicy()
	if bad != nil {
		return bad
	}
	return p.archive()
}
