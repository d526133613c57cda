package apim

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// aiServiceProviderType is the table of apim_ai_service_provider (apim-behaviour 3.8).
func aiServiceProviderType() *schema.Type {
	return &schema.Type{
		Name: "apim_ai_service_provider",
		Doc: "A vendor of AI models, whose API gateways know to read and to count tokens of. AI APIs name it. Those that the server has from the " +
			"start (`OpenAI`, `MistralAI`, `AzureOpenAI` and more) are adopted by name and version, never created or deleted.",
		Key: []string{"name", "api_version"},
		Block: schema.Block{Attributes: []schema.Attribute{
			{Name: "id", Type: cty.String, ReadOnly: true, Doc: "The server's id, a UUID."},
			// In a PUT both are ignored: 200, and the old ones [seen].
			{Name: "name", Type: cty.String, Required: true, RequiresReplace: true, Validate: lengthIn(1, 255), Doc: "Name of the vendor."},
			{Name: "api_version", Type: cty.String, Required: true, RequiresReplace: true, Validate: lengthIn(1, 255), Doc: "Version of its API."},
			{Name: "description", Type: cty.String, Validate: lengthIn(0, 1023), Doc: "What it is for."},
			{Name: "configurations", Type: cty.String, Required: true, Validate: isJSON, Normalize: canonicalDocument,
				Doc: "How requests and answers are read, as JSON, such as `jsonencode({ connectorType = \"openAi\", metadata = [] })`. Compared as JSON."},
			{Name: "api_definition", Type: cty.String, Required: true, Validate: notBlank, Normalize: canonicalDocument,
				Doc: "Its API as OpenAPI, in JSON or YAML, such as `file(\"openai.yaml\")`. Compared as a document, not as text."},
			{Name: "models", Type: cty.Set(cty.String), JSON: "modelList", Doc: "Models that it serves."},
			{Name: "built_in", Type: cty.Bool, ReadOnly: true, JSON: "builtInSupport", Doc: "Whether it is one of the server's own."},
		}},
	}
}

// aiServiceProvider is a vendor of AI models. What was seen on API Manager's own code is of its path
// of 4.5.0; later versions call it /ai-service-providers, and serve both.
func aiServiceProvider(p *Provider) engine.Type {
	return &aiServiceProviders{&rest.Collection{
		Client:       &p.client,
		Type:         aiServiceProviderType(),
		Path:         admin + "/llm-providers",
		Paging:       rest.Paging{Items: "list"},
		BlankStrings: true,
		// Lists hold summaries.
		Match: func(raw map[string]any, wanted cty.Value) bool {
			return raw["name"] == knownString(wanted, "name") && raw["apiVersion"] == knownString(wanted, "api_version")
		},
		System: func(object map[string]any) bool { return object["builtInSupport"] == true },
	}}
}

// aiServiceProviders is the type apim_ai_service_provider: a Collection that is written by forms.
type aiServiceProviders struct{ *rest.Collection }

// Create makes a provider.
func (t *aiServiceProviders) Create(ctx context.Context, planned cty.Value) (*engine.Object, error) {
	res, err := t.Client.Do(ctx, formRequest(http.MethodPost, t.Path, providerForm(rest.Encode(&t.Type.Block, planned))...))
	if err != nil {
		return nil, rest.Hide(err, planned)
	}
	return t.Created(ctx, res, planned)
}

// Update changes a provider by PUT of the whole.
func (t *aiServiceProviders) Update(ctx context.Context, live *engine.Object, planned cty.Value) (*engine.Object, error) {
	now, body, err := t.Current(ctx, live, planned)
	if err != nil {
		return nil, err
	}
	rest.Overlay(&t.Type.Block, body, now.Value, rest.Rebase(&t.Type.Block, live.Value, planned, now.Value))
	res, err := t.Client.Do(ctx, formRequest(http.MethodPut, t.URL(live.ID), providerForm(body)...))
	if err != nil {
		return nil, rest.Hide(err, planned)
	}
	return t.Updated(ctx, live.ID, res)
}

// providerForm makes the parts of a form. APIM 4.5 answers 500 where the list of models is absent,
// after it has stored the rest [seen], so we always send it.
func providerForm(body map[string]any) []formPart {
	text := func(name string) string {
		s, _ := body[name].(string)
		return s
	}
	models := []string{}
	list, _ := body["modelList"].([]any)
	for _, x := range list {
		if s, ok := x.(string); ok {
			models = append(models, s)
		}
	}
	slices.Sort(models)
	listed, _ := json.Marshal(models) // strings: it does not fail
	return []formPart{
		{name: "name", text: text("name")},
		{name: "apiVersion", text: text("apiVersion")},
		{name: "description", text: text("description")},
		{name: "configurations", text: text("configurations")},
		{name: "modelList", text: string(listed)},
		{name: "apiDefinition", file: "definition", text: text("apiDefinition")},
	}
}
