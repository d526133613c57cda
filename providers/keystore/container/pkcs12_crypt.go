package container

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"hash"
	"math/big"
	"unicode/utf16"
)

var (
	oidSHA1   = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
	oidSHA224 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 4}
	oidSHA256 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidSHA384 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}
	oidSHA512 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}

	oidHMACSHA1   = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 7}
	oidHMACSHA224 = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 8}
	oidHMACSHA256 = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 9}
	oidHMACSHA384 = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 10}
	oidHMACSHA512 = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 11}

	oidPBE3DES   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 1, 3}
	oidPBERC2128 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 1, 5}
	oidPBERC240  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 1, 6}
	oidPBES2     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
	oidPBMAC1    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 14}
	oidAES128    = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 2}
	oidAES192    = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 22}
	oidAES256    = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}
)

const (
	// iterations is how often a password is hashed in what we make, as keytool of Java 17 does.
	iterations = 10000
	// maxIterations bounds what a file may ask of us: about a second.
	maxIterations = 2_000_000
)

// hashes are those of MACs and key derivations, by either of their names.
var hashes = []struct {
	digest, hmac asn1.ObjectIdentifier
	new          func() hash.Hash
}{
	{oidSHA1, oidHMACSHA1, sha1.New},
	{oidSHA224, oidHMACSHA224, sha256.New224},
	{oidSHA256, oidHMACSHA256, sha256.New},
	{oidSHA384, oidHMACSHA384, sha512.New384},
	{oidSHA512, oidHMACSHA512, sha512.New},
}

func hashOf(oid asn1.ObjectIdentifier) (func() hash.Hash, error) {
	for _, h := range hashes {
		if oid.Equal(h.digest) || oid.Equal(h.hmac) {
			return h.new, nil
		}
	}
	return nil, badFormat("it is a PKCS12 store with the unknown hash %s", oid)
}

func checkIterations(n int) error {
	if n < 1 || n > maxIterations {
		return badFormat("it is a PKCS12 store that hashes its password %d times; 1 to %d are accepted", n, maxIterations)
	}
	return nil
}

type pbeParams struct {
	Salt       []byte
	Iterations int
}

type pbes2Params struct {
	KDF, Cipher pkix.AlgorithmIdentifier
}

type pbkdf2Params struct {
	Salt       asn1.RawValue
	Iterations int
	KeyLength  int                      `asn1:"optional"`
	PRF        pkix.AlgorithmIdentifier `asn1:"optional"`
}

// A crypt is a cipher with its key and initialization vector.
type crypt struct {
	block cipher.Block
	iv    []byte
}

// cryptOf derives what an algorithm identifier and a password say.
func cryptOf(a pkix.AlgorithmIdentifier, password string) (crypt, error) {
	if a.Algorithm.Equal(oidPBES2) {
		return pbes2(a, password)
	}
	var p pbeParams
	var make func([]byte) (cipher.Block, error)
	var size int
	switch {
	case a.Algorithm.Equal(oidPBE3DES):
		make, size = des.NewTripleDESCipher, 24
	case a.Algorithm.Equal(oidPBERC2128):
		make, size = rc2Cipher, 16
	case a.Algorithm.Equal(oidPBERC240):
		make, size = rc2Cipher, 5
	default:
		return crypt{}, badFormat("it is a PKCS12 store with the unknown encryption %s; "+
			"convert it with \"keytool -importkeystore -srcstoretype PKCS12 -deststoretype PKCS12\"", a.Algorithm)
	}
	if err := parse(a.Parameters.FullBytes, &p, "the parameters of its encryption"); err != nil {
		return crypt{}, err
	}
	if err := checkIterations(p.Iterations); err != nil {
		return crypt{}, err
	}
	text, err := bmpPassword(password)
	if err != nil {
		return crypt{}, err
	}
	block, err := make(derive(sha1.New, 1, p.Salt, text, p.Iterations, size))
	return crypt{block, derive(sha1.New, 2, p.Salt, text, p.Iterations, 8)}, err
}

func rc2Cipher(key []byte) (cipher.Block, error) { return newRC2(key), nil }

func pbes2(a pkix.AlgorithmIdentifier, password string) (crypt, error) {
	var p pbes2Params
	if err := parse(a.Parameters.FullBytes, &p, "the parameters of its encryption"); err != nil {
		return crypt{}, err
	}
	var size int
	switch {
	case p.Cipher.Algorithm.Equal(oidAES128):
		size = 16
	case p.Cipher.Algorithm.Equal(oidAES192):
		size = 24
	case p.Cipher.Algorithm.Equal(oidAES256):
		size = 32
	default:
		return crypt{}, badFormat("it is a PKCS12 store with the unknown encryption %s", p.Cipher.Algorithm)
	}
	key, err := pbkdf2Key(p.KDF, password, size)
	if err != nil {
		return crypt{}, err
	}
	var iv []byte
	if err := parse(p.Cipher.Parameters.FullBytes, &iv, "the parameters of its encryption"); err != nil {
		return crypt{}, err
	}
	if len(iv) != aes.BlockSize {
		return crypt{}, badFormat("it is a damaged PKCS12 store: an initialization vector has %d bytes", len(iv))
	}
	block, err := aes.NewCipher(key)
	return crypt{block, iv}, err
}

// pbkdf2Key derives a key of size bytes; 0 takes the size that the parameters name.
func pbkdf2Key(kdf pkix.AlgorithmIdentifier, password string, size int) ([]byte, error) {
	if !kdf.Algorithm.Equal(oidPBKDF2) {
		return nil, badFormat("it is a PKCS12 store with the unknown key derivation %s", kdf.Algorithm)
	}
	var k pbkdf2Params
	if err := parse(kdf.Parameters.FullBytes, &k, "the parameters of its encryption"); err != nil {
		return nil, err
	}
	if err := checkIterations(k.Iterations); err != nil {
		return nil, err
	}
	if size == 0 {
		size = k.KeyLength
	}
	if size < 16 || size > 64 || k.Salt.Class != asn1.ClassUniversal || k.Salt.Tag != asn1.TagOctetString {
		return nil, badFormat("it is a PKCS12 store with unknown parameters of its encryption")
	}
	prf := sha1.New // the standard's default
	if len(k.PRF.Algorithm) > 0 {
		var err error
		if prf, err = hashOf(k.PRF.Algorithm); err != nil {
			return nil, err
		}
	}
	return pbkdf2.Key(prf, password, k.Salt.Bytes, k.Iterations, size)
}

// errPadding means that what was decrypted is no text of the cipher: the key is another.
var errPadding = errors.New("the padding does not fit")

func decrypt(a pkix.AlgorithmIdentifier, data []byte, password string) ([]byte, error) {
	c, err := cryptOf(a, password)
	if err != nil {
		return nil, err
	}
	size := c.block.BlockSize()
	if len(data) == 0 || len(data)%size != 0 {
		return nil, errPadding
	}
	out := make([]byte, len(data))
	cipher.NewCBCDecrypter(c.block, c.iv).CryptBlocks(out, data)
	pad := int(out[len(out)-1])
	if pad < 1 || pad > size || !bytes.Equal(out[len(out)-pad:], bytes.Repeat([]byte{byte(pad)}, pad)) {
		return nil, errPadding
	}
	return out[:len(out)-pad], nil
}

func encrypt(a pkix.AlgorithmIdentifier, data []byte, password string) ([]byte, error) {
	c, err := cryptOf(a, password)
	if err != nil {
		return nil, err
	}
	size := c.block.BlockSize()
	pad := size - len(data)%size
	out := append(bytes.Clone(data), bytes.Repeat([]byte{byte(pad)}, pad)...)
	cipher.NewCBCEncrypter(c.block, c.iv).CryptBlocks(out, out)
	return out, nil
}

// renewed returns the algorithm with a new salt and vector, so that no two texts share them.
func renewed(a pkix.AlgorithmIdentifier) (pkix.AlgorithmIdentifier, error) {
	if !a.Algorithm.Equal(oidPBES2) {
		var p pbeParams
		if err := parse(a.Parameters.FullBytes, &p, "the parameters of its encryption"); err != nil {
			return a, err
		}
		p.Salt = random(max(len(p.Salt), 8))
		return algorithm(a.Algorithm, p)
	}
	var p pbes2Params
	if err := parse(a.Parameters.FullBytes, &p, "the parameters of its encryption"); err != nil {
		return a, err
	}
	var k pbkdf2Params
	if err := parse(p.KDF.Parameters.FullBytes, &k, "the parameters of its encryption"); err != nil {
		return a, err
	}
	k.Salt = asn1.RawValue{Tag: asn1.TagOctetString, Bytes: random(max(len(k.Salt.Bytes), 8))}
	var err error
	if p.KDF, err = algorithm(p.KDF.Algorithm, k); err != nil {
		return a, err
	}
	if p.Cipher, err = algorithm(p.Cipher.Algorithm, random(aes.BlockSize)); err != nil {
		return a, err
	}
	return algorithm(oidPBES2, p)
}

// modern is the encryption of what we make: PBES2 with HMAC-SHA-256 and AES-256, as Java 17 makes
// and Java 8u301, 11.0.12 and later read.
func modern() (pkix.AlgorithmIdentifier, error) {
	kdf, err := algorithm(oidPBKDF2, pbkdf2Params{
		Salt: asn1.RawValue{Tag: asn1.TagOctetString, Bytes: random(20)}, Iterations: iterations,
		PRF: pkix.AlgorithmIdentifier{Algorithm: oidHMACSHA256, Parameters: asn1.NullRawValue},
	})
	if err != nil {
		return kdf, err
	}
	aes256, err := algorithm(oidAES256, random(aes.BlockSize))
	if err != nil {
		return aes256, err
	}
	return algorithm(oidPBES2, pbes2Params{kdf, aes256})
}

func algorithm(oid asn1.ObjectIdentifier, params any) (pkix.AlgorithmIdentifier, error) {
	der, err := asn1.Marshal(params)
	return pkix.AlgorithmIdentifier{Algorithm: oid, Parameters: asn1.RawValue{FullBytes: der}}, err
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return b
}

// bmpPassword is a password in UTF-16 with a zero at its end, as RFC 7292 B.1 has it.
func bmpPassword(password string) ([]byte, error) {
	b, err := bmp(password)
	return append(b, 0, 0), err
}

func bmp(s string) ([]byte, error) {
	var out []byte
	for _, r := range s {
		if utf16.RuneLen(r) != 1 {
			return nil, badFormat("PKCS12 stores cannot hold the character %q in passwords and aliases", r)
		}
		out = append(out, byte(r>>8), byte(r))
	}
	return out, nil
}

func fromBMP(b []byte) string {
	units := make([]uint16, 0, len(b)/2)
	for i := 0; i+1 < len(b); i += 2 {
		units = append(units, uint16(b[i])<<8|uint16(b[i+1]))
	}
	return string(utf16.Decode(units))
}

// derive makes size bytes of a password for a purpose (1 key, 2 vector, 3 MAC), by RFC 7292 B.2.
func derive(newHash func() hash.Hash, purpose byte, salt, password []byte, rounds, size int) []byte {
	h := newHash()
	v := h.BlockSize()
	fill := func(b []byte) []byte {
		if len(b) == 0 {
			return nil
		}
		n := v * ((len(b) + v - 1) / v)
		return bytes.Repeat(b, n/len(b)+1)[:n]
	}
	d := bytes.Repeat([]byte{purpose}, v)
	i := append(fill(salt), fill(password)...)
	modulus := new(big.Int).Lsh(big.NewInt(1), uint(8*v))
	var out []byte
	for {
		h.Reset()
		h.Write(d)
		h.Write(i)
		a := h.Sum(nil)
		for range rounds - 1 {
			h.Reset()
			h.Write(a)
			a = h.Sum(a[:0])
		}
		if out = append(out, a...); len(out) >= size {
			return out[:size]
		}
		b := new(big.Int).SetBytes(bytes.Repeat(a, v/len(a)+1)[:v])
		b.Add(b, big.NewInt(1))
		for j := 0; j < len(i); j += v {
			n := new(big.Int).SetBytes(i[j : j+v])
			n.Add(n, b).Mod(n, modulus).FillBytes(i[j : j+v])
		}
	}
}

type macData struct {
	Mac struct {
		Algorithm pkix.AlgorithmIdentifier
		Digest    []byte
	}
	Salt       []byte
	Iterations int `asn1:"optional,default:1"`
}

type pbmac1Params struct {
	KDF, MAC pkix.AlgorithmIdentifier
}

// sum returns the checksum of the contents.
func (m *macData) sum(contents []byte, password string) ([]byte, error) {
	if m.Mac.Algorithm.Algorithm.Equal(oidPBMAC1) { // RFC 9579
		var p pbmac1Params
		if err := parse(m.Mac.Algorithm.Parameters.FullBytes, &p, "the parameters of its checksum"); err != nil {
			return nil, err
		}
		newHash, err := hashOf(p.MAC.Algorithm)
		if err != nil {
			return nil, err
		}
		key, err := pbkdf2Key(p.KDF, password, 0)
		if err != nil {
			return nil, err
		}
		mac := hmac.New(newHash, key)
		mac.Write(contents)
		return mac.Sum(nil), nil
	}
	newHash, err := hashOf(m.Mac.Algorithm.Algorithm)
	if err != nil {
		return nil, err
	}
	if err := checkIterations(m.Iterations); err != nil {
		return nil, err
	}
	text, err := bmpPassword(password)
	if err != nil {
		return nil, err
	}
	mac := hmac.New(newHash, derive(newHash, 3, m.Salt, text, m.Iterations, newHash().Size()))
	mac.Write(contents)
	return mac.Sum(nil), nil
}

func newMAC() *macData {
	m := &macData{Salt: random(20), Iterations: iterations}
	m.Mac.Algorithm = pkix.AlgorithmIdentifier{Algorithm: oidSHA256, Parameters: asn1.NullRawValue}
	return m
}
