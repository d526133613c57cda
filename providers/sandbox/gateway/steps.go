package gateway

import (
	"net/http"
	"net/url"
	"strings"
)

// before runs the policies of a request on the request of the backend; path is that behind the API's context. Policies that are not among those of a
// fresh pack do nothing: they are programs in a language of their own.
func before(steps []Step, r *http.Request, path string) string {
	for _, s := range steps {
		p := s.Parameters
		switch s.Name {
		case "addHeader", "setHeader":
			r.Header.Set(p["headerName"], p["headerValue"])
		case "removeHeader":
			r.Header.Del(p["headerName"])
		case "addQueryParam":
			if r.URL.RawQuery != "" {
				r.URL.RawQuery += "&"
			}
			r.URL.RawQuery += url.QueryEscape(p["paramKey"]) + "=" + url.QueryEscape(p["paramValue"])
		case "removeQueryParam":
			var kept []string
			for part := range strings.SplitSeq(r.URL.RawQuery, "&") {
				name, _, _ := strings.Cut(part, "=")
				if decoded, err := url.QueryUnescape(name); err == nil && decoded == p["paramKey"] {
					continue
				}
				kept = append(kept, part)
			}
			r.URL.RawQuery = strings.Join(kept, "&")
		case "rewriteHTTPMethod":
			if method := strings.ToUpper(p["updatedMethod"]); method != "" {
				r.Method = method
			}
		case "rewriteResourcePath":
			path = "/" + strings.TrimPrefix(p["newResourcePath"], "/")
			if p["includeQueryParams"] == "false" {
				r.URL.RawQuery = ""
			}
		}
	}
	return path
}

// after runs the policies of an answer.
func after(steps []Step, h http.Header) {
	for _, s := range steps {
		switch s.Name {
		case "addHeader", "setHeader":
			h.Set(s.Parameters["headerName"], s.Parameters["headerValue"])
		case "removeHeader":
			h.Del(s.Parameters["headerName"])
		}
	}
}
