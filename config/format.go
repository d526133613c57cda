package config

import (
	"bytes"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
)

// Format returns the source of a *.hcl or *.hclvars file in canonical layout. Formatting twice
// changes nothing more. A source with syntax errors (see Syntax) comes back as it is.
func Format(src []byte) []byte {
	if Syntax(src, "").HasErrors() {
		return src
	}
	// A comment that moves can move its neighbours in the next round, so we format until it rests.
	const rounds = 8
	for range rounds {
		next := hclwrite.Format(src)
		if bytes.Equal(next, src) {
			break
		}
		src = next
	}
	return src
}

// Syntax returns the syntax errors of a file of HCL, which it calls name.
func Syntax(src []byte, name string) hcl.Diagnostics {
	if tooDeep(src) {
		return hcl.Diagnostics{problem(nil, "Nesting too deep", "The file %q has more than %d brackets inside each other.",
			name, maxDepth)}
	}
	_, diags := hclsyntax.ParseConfig(src, name, hcl.InitialPos)
	return diags
}
