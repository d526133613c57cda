package apim

import "errors"

// ErrNoClient is what a Resident returns for a client that it does not have.
var ErrNoClient = errors.New("no such client")
