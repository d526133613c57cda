package config

import (
	"github.com/hashicorp/go-version"
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/gocty"
)

var settingsSchema = &hcl.BodySchema{
	Attributes: []hcl.AttributeSchema{{Name: "required_version"}, {Name: "store"}},
	Blocks:     []hcl.BlockHeaderSchema{{Type: "limits"}},
}

var limitsSchema = &hcl.BodySchema{
	Attributes: []hcl.AttributeSchema{{Name: "max_destroy"}, {Name: "max_destroy_percent"}},
}

// declareSettings reads the `wso2plan` block.
func (l *loader) declareSettings(blocks hcl.Blocks) {
	for _, b := range blocks {
		if b.Type != "wso2plan" {
			continue
		}
		if l.settings != nil {
			l.errorf(b.DefRange.Ptr(), "Duplicate settings block", "The settings are already given by the wso2plan "+
				"block at %s:%d. Join the two.", l.settings.Filename, l.settings.Start.Line)
			continue
		}
		l.settings = b.DefRange.Ptr()
		s := &l.c.Settings
		s.Range = b.DefRange
		content, diags := b.Body.Content(settingsSchema)
		l.add(diags)
		if a := content.Attributes["required_version"]; a != nil {
			l.constant(a, &s.RequiredVersion)
			l.checkVersion(a, s.RequiredVersion)
		}
		if a := content.Attributes["store"]; a != nil {
			l.constant(a, &s.Store)
			s.StoreRange = a.Expr.Range()
		}
		var limits *hcl.Block
		for _, inner := range content.Blocks {
			if limits != nil {
				l.errorf(inner.DefRange.Ptr(), "Duplicate limits block", "The limits are already given at %s:%d. "+
					"Join the two.", limits.DefRange.Filename, limits.DefRange.Start.Line)
				continue
			}
			limits = inner
			l.declareLimits(inner)
		}
	}
}

func (l *loader) declareLimits(b *hcl.Block) {
	content, diags := b.Body.Content(limitsSchema)
	l.add(diags)
	if a := content.Attributes["max_destroy"]; a != nil {
		var n int
		if l.constant(a, &n) {
			if n < 0 {
				l.errorf(a.Expr.Range().Ptr(), "Invalid limit", "max_destroy is %d. It is a number of objects, 0 or more.", n)
			}
			l.c.Settings.MaxDestroy = &n
		}
	}
	if a := content.Attributes["max_destroy_percent"]; a != nil {
		var p float64
		if l.constant(a, &p) {
			if p < 0 || p > 100 {
				l.errorf(a.Expr.Range().Ptr(), "Invalid limit", "max_destroy_percent is %v. It lies between 0 and 100.", p)
			}
			l.c.Settings.MaxDestroyPct = &p
		}
	}
}

// constant evaluates an attribute that may use neither variables nor functions into a *string,
// *bool, *int or *float64, and reports whether that went well. Null counts as absent.
func (l *loader) constant(a *hcl.Attribute, into any) bool {
	v, diags := a.Expr.Value(nil)
	l.add(diags)
	if diags.HasErrors() {
		return false
	}
	want, err := gocty.ImpliedType(into)
	if err == nil {
		v, err = convert.Convert(v, want)
	}
	if err == nil && v.IsNull() {
		return false
	}
	if err == nil {
		err = gocty.FromCtyValue(v, into)
	}
	if err != nil {
		l.errorf(a.Expr.Range().Ptr(), "Incorrect attribute value type", "Inappropriate value for attribute %q: %s.",
			a.Name, err)
		return false
	}
	return true
}

// checkVersion compares this program's version with a constraint such as ">= 1.2, < 2.0". Builds
// between releases count as the release they lead to.
func (l *loader) checkVersion(a *hcl.Attribute, constraint string) {
	if constraint == "" {
		return
	}
	want, err := version.NewConstraint(constraint)
	if err != nil {
		l.errorf(a.Expr.Range().Ptr(), "Invalid version constraint", "%q is not a version constraint. Write one as in "+
			"\">= 1.2, < 2.0\".", constraint)
		return
	}
	have, err := version.NewVersion(l.in.Version)
	if err != nil || want.Check(have) || want.Check(have.Core()) {
		return
	}
	l.refused = true
	l.errorf(a.Expr.Range().Ptr(), "Unsupported version", "This is wso2plan %s, and the configuration requires %s. Use a "+
		"version that fits, or change required_version if the configuration works with this one.", l.in.Version, constraint)
}

// versionRefused reports whether required_version rules this program out. Then nothing else is
// checked, since all other mistakes may come of that one.
func (l *loader) versionRefused() bool { return l.refused }

// isWholeNumber reports whether v, known and not null, is a number without fraction that fits int.
func isWholeNumber(v cty.Value) (int, bool) {
	var n int
	err := gocty.FromCtyValue(v, &n)
	return n, err == nil
}
