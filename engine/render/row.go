package render

// An Op says what happens to a row; it is its own symbol.
type Op byte

// The ops.
const (
	Same   Op = ' '
	Add    Op = '+'
	Change Op = '~'
	Remove Op = '-'
)

// A Form says what a row holds.
type Form byte

// The forms.
const (
	Scalar  Form = iota // Before and After are the whole value
	Object              // Rows are its attributes or map elements
	List                // Rows are its elements, of a list, tuple or set; they have no names
	Block               // a nested block; Rows are its attributes and blocks
	Lines               // a text of several lines; Rows are its lines
	Encoded             // a string that holds JSON; its one row is the value
	Hidden              // After says what is not shown: "3 unchanged attributes hidden"
)

// A Row is one masked entry of an object: an attribute, a map or list element, a nested block, a
// line. All its text is printable and free of secrets.
type Row struct {
	Op       Op
	Form     Form
	Name     string // as it is written in configuration, quoted where needed; "" of elements and lines
	Before   string // of a Scalar: its literal, as `"x"`; "" with Add
	After    string // likewise; "" with Remove. Of other forms: set when a known value becomes unknown
	Rows     []Row
	Width    int    // of the longest name among the rows and those that are hidden
	Replaces bool   // it forces the replacement of the object
	Note     string // what is to be said of it: "changed on the server since the last apply"
}
