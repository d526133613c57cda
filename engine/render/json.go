package render

import (
	"bytes"
	"encoding/json"
	"io"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"wso2plan/config"
	"wso2plan/config/schema"
	"wso2plan/engine"
)

// FormatVersion is the version of the JSON forms. Members may be added within a major version;
// none is removed and none changes its meaning.
const FormatVersion = "1.0"

// jsonPlan is the JSON form of a plan. Objects without a change, and of which nothing else is to be
// said, are only counted.
//
// Values are plain JSON. One that is sensitive is the string "(sensitive value)"; one that is not
// known yet is left out of its object, or null in its list. The *_sensitive and *_unknown members
// beside a value have its shape and hold true where that is so; they are absent when nothing is.
// Texts that come from servers are as the servers sent them.
type jsonPlan struct {
	FormatVersion string                `json:"format_version"`
	Mode          Mode                  `json:"mode"`  // "plan", "destroy" or "refresh-only"
	Empty         bool                  `json:"empty"` // an apply would change no object, record or output
	Changes       []jsonChange          `json:"changes"`
	Outputs       map[string]jsonOutput `json:"outputs"` // all, unchanged ones too
	Unknown       []string              `json:"unknown"` // addresses of objects that could not be read
	Summary       jsonSummary           `json:"summary"`
}

type jsonSummary struct {
	Import    int `json:"import"`
	Add       int `json:"add"`
	Change    int `json:"change"`
	Destroy   int `json:"destroy"`
	Move      int `json:"move"`
	Forget    int `json:"forget"`
	Unchanged int `json:"unchanged"`
	Drifted   int `json:"drifted"` // objects that were changed on the server since the last apply
}

type jsonChange struct {
	Address         string     `json:"address"`
	PreviousAddress string     `json:"previous_address,omitempty"` // where it is moved from
	Module          string     `json:"module,omitempty"`
	Mode            string     `json:"mode"` // "managed" or "data"
	Type            string     `json:"type"`
	Name            string     `json:"name"`
	Key             any        `json:"key,omitempty"` // of for_each a string, of count a number
	ID              string     `json:"id,omitempty"`
	Actions         []string   `json:"actions"` // see actionNames
	Imported        bool       `json:"imported,omitempty"`
	Adopted         bool       `json:"adopted,omitempty"`
	Incomplete      bool       `json:"incomplete,omitempty"`
	Drift           bool       `json:"drift,omitempty"` // some path was changed on the server
	Deposed         []string   `json:"deposed,omitempty"`
	Reason          string     `json:"reason,omitempty"`
	Consequence     string     `json:"consequence,omitempty"`
	Blockers        []string   `json:"blockers,omitempty"`
	Before          any        `json:"before"`
	After           any        `json:"after"`
	AfterUnknown    any        `json:"after_unknown,omitempty"`
	BeforeSensitive any        `json:"before_sensitive,omitempty"`
	AfterSensitive  any        `json:"after_sensitive,omitempty"`
	Paths           []jsonPath `json:"paths,omitempty"`
	Range           *jsonRange `json:"range,omitempty"`
}

type jsonPath struct {
	Path      string `json:"path"` // `claim_mapping["x"].local`
	Kind      string `json:"kind"` // see kindNames
	Before    any    `json:"before"`
	After     any    `json:"after"`
	Unknown   bool   `json:"unknown,omitempty"`
	Sensitive bool   `json:"sensitive,omitempty"`
	Replaces  bool   `json:"replaces,omitempty"`
}

type jsonOutput struct {
	Actions      []string `json:"actions"`
	Sensitive    bool     `json:"sensitive,omitempty"`
	Before       any      `json:"before"`
	After        any      `json:"after"`
	AfterUnknown any      `json:"after_unknown,omitempty"`
}

type jsonRange struct {
	Filename string  `json:"filename"`
	Start    jsonPos `json:"start"`
	End      jsonPos `json:"end"`
}

type jsonPos struct {
	Line   int `json:"line"`
	Column int `json:"column"`
	Byte   int `json:"byte"`
}

// kindNames are the kinds of a path change in JSON.
var kindNames = map[engine.Kind]string{
	engine.Pending:      "pending",
	engine.Drift:        "drift",
	engine.Both:         "both",
	engine.NewlyManaged: "newly_managed",
	engine.Secret:       "secret",
	engine.Uncompared:   "uncompared",
	engine.Unmanaged:    "unmanaged",
	engine.Consequent:   "consequent",
}

// JSON writes the plan for programs, as one object; see jsonPlan for its form. Secrets are masked.
// The same plan gives the same bytes.
func JSON(w io.Writer, p *engine.Plan) error {
	n := p.Counts()
	out := jsonPlan{
		FormatVersion: FormatVersion, Mode: modeOf(p), Empty: p.Empty(),
		Changes: []jsonChange{}, Outputs: map[string]jsonOutput{}, Unknown: []string{},
		Summary: jsonSummary{Import: n.Import, Add: n.Add, Change: n.Change, Destroy: n.Destroy, Move: n.Move, Forget: n.Forget},
	}
	for _, a := range p.Unknown {
		out.Unknown = append(out.Unknown, a.String())
	}
	d := &differ{}
	for i := range p.Changes {
		c := &p.Changes[i]
		drift := c.HasDrift()
		if drift {
			out.Summary.Drifted++
		}
		if c.Action == engine.None && !c.Imported && c.From == (config.Address{}) && len(c.Deposed) == 0 {
			out.Summary.Unchanged++
			if len(c.Paths) == 0 {
				continue
			}
		}
		out.Changes = append(out.Changes, d.jsonChange(c, drift))
	}
	for i := range p.Outputs {
		o := &p.Outputs[i]
		out.Outputs[o.Name] = d.jsonOutput(o)
	}
	return writeJSON(w, out)
}

// writeJSON writes v indented by two spaces, with a line break at its end.
func writeJSON(w io.Writer, v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}

func (d *differ) jsonChange(c *engine.Change, drift bool) jsonChange {
	before := d.outlineOf(c, c.Before, c.After)
	after := d.outlineOf(c, c.After, c.Before)
	out := jsonChange{
		Address: c.Address.String(), Module: c.Address.Module, Mode: modeName(c.Address.Mode),
		Type: c.Address.Type, Name: c.Address.Name, Key: keyOf(c.Address), ID: c.ID,
		Actions: actionNames(c), Imported: c.Imported || c.Action == engine.Import, Adopted: c.Adopted,
		Incomplete: c.Incomplete, Drift: drift, Deposed: c.Deposed,
		Reason: c.Reason, Consequence: c.Consequence, Blockers: c.Blockers,
		Before: before.value, After: after.value, AfterUnknown: after.unknown,
		BeforeSensitive: before.sensitive, AfterSensitive: after.sensitive,
		Range: rangeOf(c.Range),
	}
	if c.From != (config.Address{}) {
		out.PreviousAddress = c.From.String()
	}
	for i := range c.Paths {
		out.Paths = append(out.Paths, d.jsonPath(c, &c.Paths[i]))
	}
	return out
}

func (d *differ) jsonPath(c *engine.Change, p *engine.PathChange) jsonPath {
	out := jsonPath{Path: pathText(c, p), Kind: kindNames[p.Kind], Replaces: p.Replaces}
	secret := marked(p.Before) || marked(p.After)
	var block *schema.Block
	if c.Type != nil {
		var a *schema.Attribute
		a, block = placeAt(&c.Type.Block, p.Path)
		secret = secret || a != nil && secretText(a) != ""
	}
	out.Unknown = !absent(p.After) && !p.After.IsWhollyKnown()
	if secret {
		out.Sensitive = true
		if !absent(p.Before) {
			out.Before = sensitiveText
		}
		if !absent(p.After) {
			out.After = sensitiveText
		}
		return out
	}
	d.unit(p.Before, p.After)
	if block != nil {
		name := block.Blocks[0].Name
		d.depth = 1
		before := d.outlineBlock(block, inside(block, p.Before), inside(block, p.After))
		after := d.outlineBlock(block, inside(block, p.After), inside(block, p.Before))
		d.depth = 0
		delete(d.layouts, block)
		out.Before, out.After = member(before, name), member(after, name)
		return out
	}
	out.Before = d.outline(p.Before, p.After).value
	out.After = d.outline(p.After, p.Before).value
	return out
}

func member(o outline, name string) any {
	m, _ := o.value.(map[string]any)
	return m[name]
}

func (d *differ) jsonOutput(o *engine.OutputChange) jsonOutput {
	out := jsonOutput{Sensitive: o.Sensitive || marked(o.Before) || marked(o.After)}
	before, after := o.Before, o.After
	if absent(before) || !before.IsKnown() {
		before = cty.NilVal
	}
	if absent(after) {
		after = cty.NilVal
	}
	switch {
	case equal(before, after):
		out.Actions = []string{"no-op"}
	case before == cty.NilVal:
		out.Actions = []string{"create"}
	case after == cty.NilVal:
		out.Actions = []string{"delete"}
	default:
		out.Actions = []string{"update"}
	}
	d.known = nil
	b, a := d.outline(before, after), d.outline(after, before)
	if out.Sensitive {
		hide := func(v cty.Value, o *outline) {
			if v != cty.NilVal {
				o.value = sensitiveText
				if !v.IsWhollyKnown() {
					o.unknown = true
				}
			}
		}
		hide(before, &b)
		hide(after, &a)
	}
	out.Before, out.After, out.AfterUnknown = b.value, a.value, a.unknown
	return out
}

func modeName(m config.Mode) string {
	if m == config.Data {
		return "data"
	}
	return "managed"
}

func keyOf(a config.Address) any {
	v := a.KeyValue()
	switch {
	case v == cty.NilVal || v.IsNull() || !v.IsKnown():
		return nil
	case v.Type() == cty.Number:
		return json.Number(v.AsBigFloat().Text('f', -1))
	case v.Type() == cty.String:
		return v.AsString()
	}
	return nil
}

// actionNames are what is done to an object, in order, in Terraform's words: ["no-op"], ["create"],
// ["update"], ["delete", "create"], ["create", "delete"], ["delete"], ["read"] or ["forget"]; and
// ["release"] for one that is let go. Imports and moves are told by other members.
func actionNames(c *engine.Change) []string {
	switch c.Action {
	case engine.Create:
		return []string{"create"}
	case engine.Update:
		return []string{"update"}
	case engine.Replace:
		if c.CreateFirst {
			return []string{"create", "delete"}
		}
		return []string{"delete", "create"}
	case engine.Delete:
		if c.Release {
			return []string{"release"}
		}
		return []string{"delete"}
	case engine.Forget:
		return []string{"forget"}
	case engine.Read:
		return []string{"read"}
	}
	return []string{"no-op"}
}

func rangeOf(r hcl.Range) *jsonRange {
	if r.Filename == "" {
		return nil
	}
	return &jsonRange{r.Filename,
		jsonPos{r.Start.Line, r.Start.Column, r.Start.Byte}, jsonPos{r.End.Line, r.End.Column, r.End.Byte}}
}

// The JSON form of what is live.
type jsonState struct {
	FormatVersion string                `json:"format_version"`
	Resources     []jsonResource        `json:"resources"`
	Outputs       map[string]jsonOutput `json:"outputs"`
}

type jsonResource struct {
	Address    string `json:"address"`
	Module     string `json:"module,omitempty"`
	Mode       string `json:"mode"`
	Type       string `json:"type"`
	Name       string `json:"name"`
	Key        any    `json:"key,omitempty"`
	ID         string `json:"id,omitempty"`
	Incomplete bool   `json:"incomplete,omitempty"`
	Values     any    `json:"values"`
	Sensitive  any    `json:"sensitive,omitempty"` // which of them are masked
}

// StateJSON writes for programs what State writes for people: an object with format_version,
// resources (address, type, name, key, id, values, sensitive) and outputs. Secrets are masked.
func StateJSON(w io.Writer, p *engine.Plan) error {
	out := jsonState{FormatVersion: FormatVersion, Resources: []jsonResource{}, Outputs: map[string]jsonOutput{}}
	d := &differ{}
	for i := range p.Changes {
		c := &p.Changes[i]
		if !owned(c) {
			continue
		}
		a := stateAddress(c)
		o := d.outlineOf(c, c.Before, c.Before)
		out.Resources = append(out.Resources, jsonResource{
			Address: a.String(), Module: a.Module, Mode: modeName(a.Mode), Type: a.Type, Name: a.Name,
			Key: keyOf(a), ID: c.ID, Incomplete: c.Incomplete, Values: o.value, Sensitive: o.sensitive,
		})
	}
	for i := range p.Outputs {
		now := p.Outputs[i]
		if absent(now.Before) || !now.Before.IsKnown() {
			continue
		}
		now.After = now.Before
		out.Outputs[now.Name] = d.jsonOutput(&now)
	}
	return writeJSON(w, out)
}
