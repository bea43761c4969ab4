// Verifies a journal's checkpoints, tree and proofs with Go's own packages for
// notes and transparent logs, which share no code with June.
//
//	main.go JOURNAL EARLIER FACTS
//
// JOURNAL is the journal's folder and EARLIER a file with a checkpoint that was
// kept when the journal was shorter. FACTS has a line for each thing to check:
//
//	record NUMBER HEX      the bytes of a record
//	inclusion NUMBER HEX   a proof that the journal has this record
//	growth HEX             a proof that it begins with the earlier one
//
// Every proof is made here as well, and written to standard output in the same
// form. Then each bit of what was accepted is changed, and nothing of that may
// be accepted. Whatever is not as it should be ends the program with status 1.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A state is what a checkpoint says.
type state struct {
	size int64
	root tlog.Hash
}

// open verifies a checkpoint and reads it. There is one way to write one.
func open(text []byte, key note.Verifier) (state, error) {
	var none state
	opened, err := note.Open(text, note.VerifierList(key))
	if err != nil {
		return none, err
	}
	again, err := note.Sign(opened)
	if err != nil {
		return none, err
	}
	if len(opened.Sigs) != 1 || len(opened.UnverifiedSigs) != 0 || !bytes.Equal(again, text) {
		return none, errors.New("not the text and one signature")
	}
	if _, err := base64.StdEncoding.Strict().DecodeString(opened.Sigs[0].Base64); err != nil {
		return none, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != key.Name() || lines[3] != "" {
		return none, errors.New("not a checkpoint of this log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return none, fmt.Errorf("not a size: %q", lines[1])
	}
	root, err := tlog.ParseHash(lines[2])
	return state{size, root}, err
}

// hashes reads the tree: its file has the hashes in the order of their numbers.
func hashes(tree []byte) tlog.HashReaderFunc {
	return func(indexes []int64) ([]tlog.Hash, error) {
		read := make([]tlog.Hash, len(indexes))
		for at, index := range indexes {
			start := index * tlog.HashSize
			if start < 0 || start+tlog.HashSize > int64(len(tree)) {
				return nil, fmt.Errorf("there is no hash %d", index)
			}
			copy(read[at][:], tree[start:])
		}
		return read, nil
	}
}

// facts are what the file of facts says.
type facts struct {
	records    map[int64][]byte
	inclusions map[int64][]tlog.Hash
	growth     []tlog.Hash
}

func proof(text []byte) []tlog.Hash {
	check(len(text)%tlog.HashSize == 0, "a proof of %d bytes", len(text))
	proof := make([]tlog.Hash, len(text)/tlog.HashSize)
	for at := range proof {
		copy(proof[at][:], text[at*tlog.HashSize:])
	}
	return proof
}

func parse(text string) facts {
	read := facts{records: map[int64][]byte{}, inclusions: map[int64][]tlog.Hash{}}
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		words := strings.Split(line, " ")
		value, err := hex.DecodeString(words[len(words)-1])
		must(err)
		if words[0] == "growth" {
			read.growth = proof(value)
			continue
		}
		number, err := strconv.ParseInt(words[1], 10, 64)
		must(err)
		switch words[0] {
		case "record":
			read.records[number] = value
		case "inclusion":
			read.inclusions[number] = proof(value)
		default:
			log.Fatalf("not a fact: %s", line)
		}
	}
	return read
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func check(so bool, format string, arguments ...any) {
	if !so {
		log.Fatalf(format, arguments...)
	}
}

func read(path string) []byte {
	text, err := os.ReadFile(path)
	must(err)
	return text
}

func same(one, other []tlog.Hash) bool {
	return fmt.Sprint(one) == fmt.Sprint(other)
}

// refused counts what was changed, and not accepted.
var refused int

// flip changes each bit of some bytes, one at a time.
func flip(what string, text []byte, accepted func() bool) {
	for bit := 0; bit < 8*len(text); bit++ {
		text[bit/8] ^= 1 << (bit % 8)
		check(!accepted(), "%s is accepted with bit %d changed", what, bit)
		text[bit/8] ^= 1 << (bit % 8)
		refused++
	}
	check(accepted(), "%s is not as it was", what)
}

// flipProof changes each bit of a proof, and leaves out or adds a hash.
func flipProof(what string, proof []tlog.Hash, accepted func(proof []tlog.Hash) bool) {
	for at := range proof {
		flip(what, proof[at][:], func() bool { return accepted(proof) })
	}
	check(!accepted(append(proof[:len(proof):len(proof)], tlog.Hash{})), "%s with more", what)
	check(len(proof) == 0 || !accepted(proof[:len(proof)-1]), "%s with less", what)
}

func main() {
	log.SetFlags(0)
	check(len(os.Args) == 4, "usage: main.go JOURNAL EARLIER FACTS")
	journal := os.Args[1]
	key, err := note.NewVerifier(strings.TrimSuffix(string(read(filepath.Join(journal, "key.pub"))), "\n"))
	must(err)
	newest, kept := read(filepath.Join(journal, "checkpoint")), read(os.Args[2])
	now, err := open(newest, key)
	must(err)
	then, err := open(kept, key)
	must(err)
	check(then.size < now.size, "the journal did not grow: %d, %d", then.size, now.size)
	flip("the checkpoint", newest, func() bool { _, err := open(newest, key); return err == nil })
	flip("the one kept", kept, func() bool { _, err := open(kept, key); return err == nil })

	tree := read(filepath.Join(journal, "tree"))
	count := tlog.StoredHashCount(now.size)
	check(int64(len(tree)) == count*tlog.HashSize, "%d bytes for %d hashes", len(tree), count)
	reader := hashes(tree)
	for _, state := range []state{then, now} {
		root, err := tlog.TreeHash(state.size, reader)
		must(err)
		check(root == state.root, "the root of %d records is %v, and not %v", state.size, root, state.root)
	}

	facts := parse(string(read(os.Args[3])))
	growth, err := tlog.ProveTree(now.size, then.size, reader)
	must(err)
	check(same(growth, facts.growth), "June's proof of growth is another: %v", facts.growth)
	flipProof("the proof of growth", facts.growth, func(proof []tlog.Hash) bool {
		return tlog.CheckTree(proof, now.size, now.root, then.size, then.root) == nil
	})
	fmt.Printf("growth %s\n", text(growth))

	check(len(facts.records) == len(facts.inclusions), "a record has no proof")
	for number, record := range facts.records {
		made, err := tlog.ProveRecord(now.size, number, reader)
		must(err)
		proof := facts.inclusions[number]
		check(same(made, proof), "June's proof of record %d is another: %v", number, proof)
		accepted := func(proof []tlog.Hash) bool {
			return tlog.CheckRecord(proof, now.size, now.root, number, tlog.RecordHash(record)) == nil
		}
		flip("a record", record, func() bool { return accepted(proof) })
		flipProof("the proof of a record", proof, accepted)
		for other := int64(0); other < now.size; other++ {
			elsewhere := tlog.CheckRecord(proof, now.size, now.root, other, tlog.RecordHash(record))
			check((elsewhere == nil) == (other == number), "record %d is at %d", number, other)
		}
		fmt.Printf("inclusion %d %s\n", number, text(made))
	}
	fmt.Printf("sizes %d %d\n", then.size, now.size)
	fmt.Printf("refused %d\n", refused)
}

func text(proof []tlog.Hash) string {
	var all []byte
	for _, hash := range proof {
		all = append(all, hash[:]...)
	}
	return hex.EncodeToString(all)
}
