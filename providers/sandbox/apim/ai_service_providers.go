package apim

import (
	"encoding/json"
	"net/http"
)

var (
	aiProviderRead   = []string{"apim:admin"}
	aiProviderManage = []string{"apim:admin", "apim:llm_provider_manage"}
	aiProviderView   = []string{"apim:llm_provider_read"}
)

// aiProvider is the answer of /llm-providers (apim-behaviour 3.8). A null name and a repeated one pass (seen).
type aiProvider struct {
	ID             *string  `json:"id"`
	Name           *string  `json:"name"`
	APIVersion     *string  `json:"apiVersion"`
	BuiltInSupport *bool    `json:"builtInSupport"`
	Description    *string  `json:"description"`
	Configurations *string  `json:"configurations"`
	APIDefinition  *string  `json:"apiDefinition"`
	ModelList      []string `json:"modelList"`
}

func (p *aiProvider) rowID() string { return text(p.ID) }

func aiProviderRoutes() []route {
	return []route{
		get(admin, "/llm-providers", aiProviderRead, listAIProviders),
		form(post(admin, "/llm-providers", aiProviderManage, createAIProvider)),
		get(admin, "/llm-providers/{provider}", aiProviderRead, readAIProvider),
		form(put(admin, "/llm-providers/{provider}", aiProviderManage, updateAIProvider)),
		remove(admin, "/llm-providers/{provider}", aiProviderManage, deleteAIProvider),
		get(publisher, "/llm-providers", aiProviderView, listAIProviders),
		get(publisher, "/llm-providers/{provider}", aiProviderView, readAIProvider),
		get(publisher, "/llm-providers/{provider}/api-definition", aiProviderView, readAIDefinition),
		get(publisher, "/llm-providers/{provider}/models", aiProviderView, readAIModels),
	}
}

// seedAIProviders gives a tenant the vendors that the pack knows.
func seedAIProviders(t *tenant) {
	for _, p := range []struct {
		name, connector, definition string
		models                      []string
	}{
		{"OpenAI", "openAi_1.0.0", "/chat/completions", []string{"gpt-4o", "gpt-4o-mini"}},
		{"MistralAI", "mistralAi_1.0.0", "/v1/chat/completions", []string{"mistral-large-latest", "mistral-small-latest"}},
		{"AzureOpenAI", "azureOpenAi_1.0.0", "/deployments/{deployment-id}/chat/completions", nil},
	} {
		t.AIProviders.add(&aiProvider{ID: ptr(newID()), Name: ptr(p.name), APIVersion: ptr("1.0.0"), BuiltInSupport: ptr(true), Description: ptr(p.name + " service"),
			Configurations: ptr(`{"connectorType":"` + p.connector + `","metadata":[{"attributeName":"requestModel","inputSource":"payload","attributeIdentifier":"$.model","required":false}]}`),
			APIDefinition:  ptr(`{"openapi":"3.0.1","info":{"title":"` + p.name + `","version":"1.0.0"},"paths":{"` + p.definition + `":{"post":{"responses":{"200":{"description":"OK"}}}}}}`),
			ModelList:      append([]string{}, p.models...)})
	}
}

func aiProviderNotFound(id string) *answer {
	return refuse(http.StatusNotFound, 903103, "AI Service Provider Not found for "+id+" in organization", "AI Service Provider Not found for null in organization")
}

func listAIProviders(c *call) *answer {
	type summary struct {
		ID             *string `json:"id"`
		Name           *string `json:"name"`
		APIVersion     *string `json:"apiVersion"`
		BuiltInSupport *bool   `json:"builtInSupport"`
		Description    *string `json:"description"`
	}
	var out []summary
	for _, p := range c.tenant.AIProviders.list {
		out = append(out, summary{p.ID, p.Name, p.APIVersion, p.BuiltInSupport, p.Description})
	}
	return all(out)
}

func readAIProvider(c *call) *answer {
	p := c.tenant.AIProviders.get(c.vars["provider"])
	if p == nil {
		return aiProviderNotFound(c.vars["provider"])
	}
	return ok(p)
}

// readAIDefinition answers with the definition itself, where there is one.
func readAIDefinition(c *call) *answer {
	p := c.tenant.AIProviders.get(c.vars["provider"])
	if p == nil || text(p.APIDefinition) == "" {
		return aiProviderNotFound(c.vars["provider"])
	}
	return &answer{status: http.StatusOK, kind: jsonBody, body: []byte(*p.APIDefinition)}
}

func readAIModels(c *call) *answer {
	p := c.tenant.AIProviders.get(c.vars["provider"])
	if p == nil {
		return aiProviderNotFound(c.vars["provider"])
	}
	return ok(p.ModelList)
}

// read puts the fields of a form over a provider. Without models it tells so, for the server fails then after it has stored the rest (seen).
func (p *aiProvider) read(fields map[string]formField) (models bool, bad *answer) {
	for name, to := range map[string]**string{"description": &p.Description, "configurations": &p.Configurations} {
		if f, given := fields[name]; given {
			*to = ptr(f.text)
		}
	}
	if f := fields["apiDefinition"]; f.text != "" {
		p.APIDefinition = ptr(f.text)
	}
	p.ModelList = []string{}
	f, models := fields["modelList"]
	if models && json.Unmarshal([]byte(f.text), &p.ModelList) != nil {
		return true, empty(http.StatusBadRequest)
	}
	return models, nil
}

func createAIProvider(c *call) *answer {
	p := &aiProvider{ID: ptr(newID()), BuiltInSupport: ptr(false)}
	for name, to := range map[string]**string{"name": &p.Name, "apiVersion": &p.APIVersion} {
		if f, given := c.fields[name]; given {
			*to = ptr(f.text)
		}
	}
	models, bad := p.read(c.fields)
	switch {
	case bad != nil:
		return bad
	case p.APIDefinition == nil:
		return empty(http.StatusBadRequest) // without a body (seen)
	case p.Configurations == nil:
		return internal("")
	}
	c.tenant.AIProviders.add(p)
	if !models {
		return internal("")
	}
	return created(admin.location+"/llm-providers/"+*p.ID, p)
}

// updateAIProvider changes what the form holds; name and version in it are ignored (seen).
func updateAIProvider(c *call) *answer {
	old := c.tenant.AIProviders.get(c.vars["provider"])
	if old == nil {
		return aiProviderNotFound(c.vars["provider"])
	}
	p := *old
	models, bad := p.read(c.fields)
	if bad != nil {
		return bad
	}
	c.tenant.AIProviders.replace(&p)
	if !models {
		return internal("")
	}
	return ok(&p)
}

func deleteAIProvider(c *call) *answer {
	p := c.tenant.AIProviders.get(c.vars["provider"])
	switch {
	case p == nil:
		return aiProviderNotFound(c.vars["provider"])
	case isTrue(p.BuiltInSupport):
		return badRequest("A built-in AI service provider cannot be deleted")
	}
	c.tenant.AIProviders.remove(*p.ID)
	return empty(http.StatusOK)
}
