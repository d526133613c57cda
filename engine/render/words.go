package render

import (
	"strconv"
	"strings"

	"wso2plan/config"
	"wso2plan/engine"
)

// phrase says what happens to an object, after its address.
func phrase(c *engine.Change) string {
	switch c.Action {
	case engine.Create:
		return "will be created"
	case engine.Update:
		return "will be updated in-place"
	case engine.Replace:
		return "must be replaced"
	case engine.Delete:
		if c.Release {
			return "will be let go"
		}
		return "will be destroyed"
	case engine.Read:
		return "will be read during apply"
	case engine.Forget:
		return "is gone from the server and will be forgotten"
	}
	if c.From != (config.Address{}) {
		return phraseMoved(c)
	}
	if c.Imported || c.Action == engine.Import {
		return "will be imported"
	}
	return "stays as it is"
}

// phraseMoved is said of an object that only moves, after the address where it was.
func phraseMoved(c *engine.Change) string { return "has moved to " + c.Address.String() }

// comments says in words what the rows do not tell.
func comments(c *engine.Change) []string {
	var out []string
	acts := c.Action != engine.None && c.Action != engine.Import && c.Action != engine.Move
	if c.From != (config.Address{}) && acts {
		out = append(out, "moved from "+c.From.String())
	}
	if c.Imported && acts && c.Action != engine.Create {
		out = append(out, "imported from "+strconv.Quote(c.ID))
	}
	out = append(out, reasons(c)...)
	if drift := paths(c, engine.Drift, engine.Both); drift != nil && c.Action != engine.Delete {
		out = append(out, "changed on the server since the last apply: "+list(drift, 5))
	}
	return out
}

// reasons says why the change is made, in words that fit many instances.
func reasons(c *engine.Change) []string {
	var out []string
	if c.Reason != "" {
		out = append(out, printable(c.Reason, false))
	}
	switch {
	case c.Action == engine.Delete && c.Release:
		out = append(out, "it is the server's own object, so it is not deleted: its first-seen values are put back")
	case c.Adopted && (c.Imported || c.Action == engine.Import):
		out = append(out, "it is the server's own object: destroying it later lets it go and puts its first-seen values back")
	}
	if c.Incomplete {
		out = append(out, "an earlier apply ended before it was whole")
	}
	if c.Action == engine.Read && c.Reason == "" {
		out = append(out, "it depends on values that are not known yet")
	}
	return out
}

// warnings says what an apply would do to others, or could not do.
func warnings(c *engine.Change) []string {
	var out []string
	if c.Consequence != "" {
		out = append(out, strings.TrimSuffix(printable(c.Consequence, false), "."))
	}
	if len(c.Blockers) > 0 {
		texts := make([]string, len(c.Blockers))
		for i, b := range c.Blockers {
			texts[i] = printable(b, false)
		}
		out = append(out, "The server refuses to delete it while it is used by "+list(texts, 5))
	}
	return out
}

// paths returns the paths of those kinds.
func paths(c *engine.Change, kinds ...engine.Kind) []string {
	var out []string
	for i := range c.Paths {
		for _, k := range kinds {
			if c.Paths[i].Kind == k {
				out = append(out, pathText(c, &c.Paths[i]))
			}
		}
	}
	return out
}
