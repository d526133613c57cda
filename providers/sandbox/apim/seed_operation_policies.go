package apim

import "fmt"

// seedOperationPolicies gives a tenant the common policies of a fresh pack that change requests and answers. Those that call other systems, and the
// guards of AI APIs, are left out.
func seedOperationPolicies(t *tenant) {
	type parameter struct{ name, display string }
	for _, p := range []struct {
		name, display, description string
		flows                      string
		parameters                 []parameter
		synapse                    string
	}{
		{"addHeader", "Add Header", "This policy allows you to add a new header to the request", "[request, response, fault]",
			[]parameter{{"headerName", "Header Name"}, {"headerValue", "Header Value"}}, `<header name="{{headerName}}" value="{{headerValue}}" scope="transport"/>`},
		{"removeHeader", "Remove Header", "This policy allows you to remove a header from the request", "[request, response, fault]",
			[]parameter{{"headerName", "Header Name"}}, `<header name="{{headerName}}" scope="transport" action="remove"/>`},
		{"addQueryParam", "Add Query Parameter", "This policy allows you to add query parameters to the request.", "[request]",
			[]parameter{{"paramKey", "Parameter Key"}, {"paramValue", "Parameter Value"}}, `<class name="org.wso2.carbon.apimgt.gateway.mediators.AddQueryParamMediator"/>`},
		{"removeQueryParam", "Remove Query Parameter", "This policy allows you to remove a query parameter from the request.", "[request]",
			[]parameter{{"paramKey", "Parameter Key"}}, `<class name="org.wso2.carbon.apimgt.gateway.mediators.RemoveQueryParamMediator"/>`},
		{"rewriteHTTPMethod", "Rewrite HTTP Method", "This policy allows you to change the HTTP method of a resource", "[request]",
			[]parameter{{"updatedMethod", "HTTP Method"}}, `<property name="HTTP_METHOD" value="{{updatedMethod}}" scope="axis2"/>`},
		{"rewriteResourcePath", "Rewrite Resource Path", "This policy allows you to modify the respective resource path", "[request]",
			[]parameter{{"newResourcePath", "New Resource Path"}}, `<property name="REST_URL_POSTFIX" value="{{newResourcePath}}" scope="axis2"/>`},
		{"jsonToXML", "JSON to XML", "This policy transform JSON payload to XML format.", "[request, response]", nil,
			`<property name="messageType" value="application/xml" scope="axis2"/>`},
		{"xmlToJson", "XML to JSON", "This policy transform XML payload to JSON format.", "[request, response]", nil,
			`<property name="messageType" value="application/json" scope="axis2"/>`},
		{"disableChunking", "Disable Chunking", "This policy disables chunking", "[request]", nil, `<property name="DISABLE_CHUNKING" value="true" scope="axis2"/>`},
	} {
		spec := fmt.Sprintf("type: operation_policy\nversion: v4.5.0\ndata:\n  category: Mediation\n  name: %s\n  version: v1\n  displayName: %s\n  description: %s\n"+
			"  applicableFlows: %s\n  supportedGateways: [Synapse]\n  supportedApiTypes: [HTTP]\n  policyAttributes:", p.name, p.display, p.description, p.flows)
		if len(p.parameters) == 0 {
			spec += " []\n"
		} else {
			spec += "\n"
		}
		for _, a := range p.parameters {
			spec += fmt.Sprintf("    - name: %s\n      displayName: %s\n      type: String\n      required: true\n      allowedValues: []\n", a.name, a.display)
		}
		made, err := policySpec([]byte(spec))
		if err != nil {
			panic(err) // a constant of this file is no specification
		}
		t.OperationPolicies.add(&operationPolicy{ID: newID(), Spec: made, SpecText: []byte(spec), Synapse: &storedFile{Name: p.name + ".j2", Content: []byte(p.synapse)}})
	}
}
