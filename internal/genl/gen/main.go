package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// outputs of one run: path below the root of the repository, text.
func generate(s *schema) (map[string][]byte, error) {
	goTypes, err := goTypesFile(s)
	if err != nil {
		return nil, err
	}
	goTables, err := goTablesFile(s)
	if err != nil {
		return nil, err
	}
	return map[string][]byte{
		"kernel/core/nl_types.h":      cTypesFile(s),
		"kernel/nl_gen.h":             cHeaderFile(s),
		"kernel/nl_gen.c":             cSourceFile(s),
		"internal/genl/types_gen.go":  goTypes,
		"internal/genl/tables_gen.go": goTables,
	}, nil
}

func run(root string, check bool) error {
	s, err := load(filepath.Join(root, "kernel/netlink.yaml"))
	if err != nil {
		return err
	}
	files, err := generate(s)
	if err != nil {
		return err
	}
	for path, text := range files {
		full := filepath.Join(root, path)
		if !check {
			if err := os.WriteFile(full, text, 0o644); err != nil {
				return err
			}
			continue
		}
		old, err := os.ReadFile(full)
		if err != nil {
			return err
		}
		if !bytes.Equal(old, text) {
			return fmt.Errorf("%s is not what kernel/netlink.yaml says: run `go generate ./internal/genl`", path)
		}
	}
	return nil
}

func main() {
	root := flag.String("root", ".", "root of the repository")
	check := flag.Bool("check", false, "write nothing, fail when a generated file is stale")
	flag.Parse()
	if err := run(*root, *check); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// camel turns peer_dev_flags into PeerDevFlags, with the abbreviations Go spells in capitals.
func camel(name string) string {
	abbreviations := map[string]string{
		"id": "ID", "io": "IO", "uuid": "UUID", "uuids": "UUIDs", "al": "AL", "bm": "BM", "md": "MD", "tls": "TLS", "cpu": "CPU",
		"ip": "IP", "rs": "RS", "ov": "OV", "tcp": "TCP", "rdma": "RDMA", "sb": "SB",
	}
	out := ""
	for _, part := range strings.Split(name, "_") {
		switch {
		case part == "":
		case abbreviations[part] != "":
			out += abbreviations[part]
		default:
			out += strings.ToUpper(part[:1]) + part[1:]
		}
	}
	return out
}
