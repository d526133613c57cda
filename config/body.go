package config

import (
	"sync"

	"github.com/hashicorp/hcl/v2"
)

// A sortedBody sorts its content into attributes and blocks once for all instances: the decoder
// asks for it anew for each of them, always by the same schema.
type sortedBody struct {
	hcl.Body

	once    sync.Once
	content *hcl.BodyContent
	diags   hcl.Diagnostics
}

// Content returns the content by the schema of the first call.
func (b *sortedBody) Content(schema *hcl.BodySchema) (*hcl.BodyContent, hcl.Diagnostics) {
	b.once.Do(func() {
		b.content, b.diags = b.Body.Content(schema)
		blocks := make(hcl.Blocks, len(b.content.Blocks))
		for i, inner := range b.content.Blocks {
			copied := *inner
			copied.Body = &sortedBody{Body: inner.Body}
			blocks[i] = &copied
		}
		content := *b.content
		content.Blocks = blocks
		b.content = &content
	})
	return b.content, b.diags
}

// PartialContent returns the same content, and the whole body as what remains: the decoder asks
// for it to learn where a block is written, and has no use for what remains.
func (b *sortedBody) PartialContent(schema *hcl.BodySchema) (*hcl.BodyContent, hcl.Body, hcl.Diagnostics) {
	content, diags := b.Content(schema)
	return content, b.Body, diags
}
