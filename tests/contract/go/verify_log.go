// Check a published log with the Go team's own sumdb/note and sumdb/tlog: nothing of Comity is used here.
//
// usage: verify_log DIR|URL LOG_VKEY [WITNESS_VKEY]
//
// With a URL (the log's prefix, C2SP tlog-tiles) everything is fetched over HTTP, and each answer must have the
// content type that the specification gives it.
//
// The checkpoint's signature, then every entry against an authenticated leaf hash read through
// tlog.TileHashReader, then inclusion proofs made and checked, then the consistency of every prefix in a
// sample. With WITNESS_VKEY (signature type 0x04) the cosignature too, after C2SP tlog-cosignature.
// Prints "OK <size>", or what is wrong, with status 1.
package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

// read returns a file of the log below root, a directory or the URL of its prefix.
func read(root, path, kind string) ([]byte, error) {
	if !strings.HasPrefix(root, "http://") && !strings.HasPrefix(root, "https://") {
		return os.ReadFile(filepath.Join(root, filepath.FromSlash(path)))
	}
	answer, err := http.Get(strings.TrimSuffix(root, "/") + "/" + path)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: status %d", path, answer.StatusCode)
	}
	if got := answer.Header.Get("Content-Type"); got != kind {
		return nil, fmt.Errorf("%s: content type %q, want %q", path, got, kind)
	}
	return io.ReadAll(io.LimitReader(answer.Body, 1<<24))
}

// files reads tiles from a tlog-tiles log: Go's tile/8/L/N is tile/L/N there.
type files struct {
	root  string
	known map[string][]byte
}

func (f *files) Height() int                     { return height }
func (f *files) SaveTiles([]tlog.Tile, [][]byte) {}
func (f *files) path(t tlog.Tile, kind string) string {
	path := strings.TrimPrefix(t.Path(), fmt.Sprintf("tile/%d/%d/", height, t.L))
	return "tile/" + kind + "/" + path
}

func (f *files) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, t := range tiles {
		path := f.path(t, fmt.Sprint(t.L))
		if _, ok := f.known[path]; !ok {
			data, err := read(f.root, path, "application/octet-stream")
			if err != nil {
				return nil, err
			}
			f.known[path] = data
		}
		found = append(found, f.known[path])
	}
	return found, nil
}

// entries reads the bundle under a tile of level 0.
func (f *files) entries(t tlog.Tile) ([][]byte, error) {
	data, err := read(f.root, f.path(t, "entries"), "application/octet-stream")
	if err != nil {
		return nil, err
	}
	var entries [][]byte
	for len(data) > 0 {
		if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
			return nil, fmt.Errorf("bundle %d is cut short", t.N)
		}
		end := 2 + int(binary.BigEndian.Uint16(data))
		entries = append(entries, data[2:end])
		data = data[end:]
	}
	if len(entries) != t.W {
		return nil, fmt.Errorf("bundle %d has %d entries, want %d", t.N, len(entries), t.W)
	}
	return entries, nil
}

func readTree(root, vkey string) (tree tlog.Tree, signed *note.Note, err error) {
	raw, err := read(root, "checkpoint", "text/plain; charset=utf-8")
	if err != nil {
		return tree, nil, err
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tree, nil, err
	}
	signed, err = note.Open(raw, note.VerifierList(verifier))
	if err != nil {
		return tree, nil, err
	}
	origin, rest, _ := strings.Cut(signed.Text, "\n")
	if origin != verifier.Name() {
		return tree, nil, fmt.Errorf("origin %q, want %q", origin, verifier.Name())
	}
	tree, err = tlog.ParseTree([]byte("go.sum database tree\n" + rest))
	return tree, signed, err
}

func checkEntries(f *files, tree tlog.Tree, hashes tlog.HashReader) error {
	for start := int64(0); start < tree.N; start += 1 << height {
		t := tlog.Tile{H: height, L: 0, N: start >> height, W: 1 << height}
		if tree.N-start < 1<<height {
			t.W = int(tree.N - start)
		}
		entries, err := f.entries(t)
		if err != nil {
			return err
		}
		indexes := make([]int64, t.W)
		for i := range indexes {
			indexes[i] = tlog.StoredHashIndex(0, start+int64(i))
		}
		leaves, err := hashes.ReadHashes(indexes)
		if err != nil {
			return err
		}
		for i, entry := range entries {
			if tlog.RecordHash(entry) != leaves[i] {
				return fmt.Errorf("entry %d is not the one in the tree", start+int64(i))
			}
		}
		step := int64(1)
		if tree.N > 1000 {
			step = 61
		}
		for i := int64(0); i < int64(t.W); i += step {
			proof, err := tlog.ProveRecord(tree.N, start+i, hashes)
			if err != nil {
				return err
			}
			if err := tlog.CheckRecord(proof, tree.N, tree.Hash, start+i, tlog.RecordHash(entries[i])); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkPrefixes(tree tlog.Tree, hashes tlog.HashReader) error {
	for n := int64(1); n <= tree.N; n += 1 + tree.N/50 {
		old, err := tlog.TreeHash(n, hashes)
		if err != nil {
			return err
		}
		proof, err := tlog.ProveTree(tree.N, n, hashes)
		if err != nil {
			return err
		}
		if err := tlog.CheckTree(proof, tree.N, tree.Hash, n, old); err != nil {
			return fmt.Errorf("size %d: %v", n, err)
		}
	}
	return nil
}

// checkCosignature follows C2SP tlog-cosignature by hand, as sumdb/note knows no type 0x04.
func checkCosignature(signed *note.Note, vkey string) error {
	parts := strings.SplitN(vkey, "+", 3)
	key, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(key) != 33 || key[0] != 4 {
		return fmt.Errorf("no cosignature key: %q", vkey)
	}
	for _, line := range signed.UnverifiedSigs {
		if line.Name != parts[0] || fmt.Sprintf("%08x", line.Hash) != parts[1] {
			continue
		}
		raw, err := base64.StdEncoding.DecodeString(line.Base64)
		if err != nil || len(raw) != 4+8+64 {
			return fmt.Errorf("malformed cosignature by %s", line.Name)
		}
		var message bytes.Buffer
		fmt.Fprintf(&message, "cosignature/v1\ntime %d\n%s", binary.BigEndian.Uint64(raw[4:12]), signed.Text)
		if !ed25519.Verify(key[1:], message.Bytes(), raw[12:]) {
			return fmt.Errorf("bad cosignature by %s", line.Name)
		}
		return nil
	}
	return fmt.Errorf("no cosignature by %s", parts[0])
}

func check(arguments []string) (int64, error) {
	tree, signed, err := readTree(arguments[0], arguments[1])
	if err != nil {
		return 0, err
	}
	f := &files{root: arguments[0], known: map[string][]byte{}}
	hashes := tlog.TileHashReader(tree, f)
	if err := checkEntries(f, tree, hashes); err != nil {
		return 0, err
	}
	if err := checkPrefixes(tree, hashes); err != nil {
		return 0, err
	}
	if len(arguments) > 2 {
		return tree.N, checkCosignature(signed, arguments[2])
	}
	return tree.N, nil
}

func main() {
	if len(os.Args) < 3 {
		fmt.Println("usage: verify_log DIR|URL LOG_VKEY [WITNESS_VKEY]")
		os.Exit(2)
	}
	size, err := check(os.Args[1:])
	if err != nil {
		fmt.Println("WRONG:", err)
		os.Exit(1)
	}
	fmt.Println("OK", size)
}
