package conf

import "strconv"

func (p *parser) connection(r *Resource, kw token) bool {
	p.cfg.Modern = true
	c := &Connection{Pos: kw.pos, PeerNodeID: -1}
	if p.tok.value() {
		t := p.take()
		p.add(t.pos, Warning, "the name %s of the connection is ignored: connections are named after the peer", t)
	}
	r.Connections = append(r.Connections, c)
	p.level = LevelConnection
	nets := 0
	table := map[string]func(kw token) bool{
		"host": func(kw token) bool { return p.implicitEnd(c, kw) },
		"path": func(kw token) bool { return p.path(c, kw) },
		"net": func(kw token) bool {
			if nets++; nets > 1 {
				p.wrong(kw.pos, "a second 'net' in this connection")
			}
			return p.options(sectionNet, &c.Options, nil)
		},
		"disk":   func(kw token) bool { return p.options(sectionPeerDisk, &c.Options, nil) },
		"volume": func(kw token) bool { return p.connectionVolume(c, kw) },
	}
	if p.show {
		p.showConnection(c, table)
	}
	ok := p.block("connection", items(p, "connection", table, nil))
	if ok {
		p.checkPaths(c)
	}
	return ok
}

// showConnection adds the words that only `drbdsetup show` uses (section 13.1).
func (p *parser) showConnection(c *Connection, table map[string]func(kw token) bool) {
	table["_peer_node_id"] = func(kw token) bool {
		n, pos, ok := p.number("the node id", 0, nodeIDMax)
		c.PeerNodeID = n
		return ok && p.end(pos)
	}
	table["_cstate"] = func(kw token) bool {
		t, ok := p.word("a state")
		c.State = t.text
		return ok && p.end(t.pos)
	}
}

func (p *parser) checkPaths(c *Connection) {
	if len(c.Paths) == 0 && !p.show {
		p.wrong(c.Pos, "this connection has no path: it needs two 'host' statements, or 'path' sections with two each")
	}
	for _, path := range c.Paths {
		switch {
		case path.Implicit && len(c.Paths) > 1:
			p.wrong(c.Pos, "'host' statements must stand inside 'path' sections when there are any")
			return
		case len(path.Ends) != 2:
			p.wrong(path.Pos, "%d 'host' statements: a connection or path needs exactly two", len(path.Ends))
		}
	}
}

func (p *parser) implicitEnd(c *Connection, kw token) bool {
	for _, path := range c.Paths {
		if path.Implicit {
			return p.hostEnd(path, kw)
		}
	}
	path := &Path{Pos: kw.pos, Implicit: true}
	c.Paths = append(c.Paths, path)
	return p.hostEnd(path, kw)
}

func (p *parser) path(c *Connection, kw token) bool {
	path := &Path{Pos: kw.pos}
	c.Paths = append(c.Paths, path)
	table := map[string]func(kw token) bool{"host": func(kw token) bool { return p.hostEnd(path, kw) }}
	if p.show {
		for _, name := range []string{"_this_host", "_remote_host"} {
			table[name] = func(kw token) bool {
				a, ok := p.address()
				path.Ends = append(path.Ends, &End{Pos: kw.pos, Address: a, Local: kw.text == "_this_host"})
				return ok && p.end(kw.pos)
			}
		}
	}
	return p.block("path", items(p, "path", table, nil))
}

// hostEnd reads `host NAME [address A | port N] [via ...];`.
func (p *parser) hostEnd(path *Path, kw token) bool {
	t, ok := p.word("the name of a host")
	if !ok {
		return false
	}
	e := &End{Pos: kw.pos, Host: t.text}
	path.Ends = append(path.Ends, e)
	last := t.pos
	if p.tok.kind == tokenWord {
		switch p.tok.text {
		case "address":
			last = p.take().pos
			if e.Address, ok = p.address(); !ok {
				return false
			}
		case "port":
			p.advance()
			n, pos, ok := p.number("the port", 1, 65535)
			if !ok {
				return false
			}
			e.Port, last = strconv.Itoa(n), pos
		}
	}
	if p.tok.kind == tokenWord && p.tok.text == "via" {
		p.advance()
		return p.via(e)
	}
	return p.end(last)
}

func (p *parser) via(e *End) bool {
	t, ok := p.word("'proxy' or 'outside-address'")
	if !ok {
		return false
	}
	switch t.text {
	case "proxy":
		return p.proxyOn(&e.Proxy)
	case "outside-address":
		if e.Outside, ok = p.address(); !ok {
			return false
		}
		return p.end(t.pos)
	}
	return p.fail(t.pos, "expected 'proxy' or 'outside-address' behind 'via', but found %s", t)
}

// proxyOn reads `on HOST... { inside ADDRESS; outside ADDRESS; options { } }`.
func (p *parser) proxyOn(into **Proxy) bool {
	x := &Proxy{Pos: p.tok.pos}
	if p.tok.kind != tokenWord || p.tok.text != "on" {
		return p.unexpected("'on' and the name of a host")
	}
	p.advance()
	for p.tok.value() {
		x.Hosts = append(x.Hosts, p.take().text)
	}
	if len(x.Hosts) == 0 {
		return p.unexpected("the name of a host")
	}
	*into = x
	address := func(to **Address) func(kw token) bool {
		return func(kw token) bool {
			a, ok := p.address()
			*to = a
			return ok && p.end(kw.pos)
		}
	}
	table := map[string]func(kw token) bool{
		"inside": address(&x.Inside), "outside": address(&x.Outside),
		"options": func(kw token) bool {
			p.plugins = nil
			ok := p.options(sectionProxy, &x.Options, func(kw token) (handled, ok bool) { return p.pluginItem(nil, kw) })
			x.Plugins = p.plugins
			return ok
		},
	}
	return p.block("proxy", items(p, "proxy", table, nil))
}

// connectionVolume reads `volume N { disk { } }`.
func (p *parser) connectionVolume(c *Connection, kw token) bool {
	n, _, ok := p.number("volume", 0, volumeMax)
	if !ok {
		return false
	}
	if other := volumeOf(c.Volumes, n); other != nil {
		p.wrong(kw.pos, "volume %d is there twice in this connection; the first is at %s", n, other.Pos)
	}
	v := p.memory.volume(kw.pos, n)
	c.Volumes = append(c.Volumes, v)
	p.level = LevelConnectionVolume
	defer func() { p.level = LevelConnection }()
	table := map[string]func(kw token) bool{"disk": func(kw token) bool { return p.options(sectionPeerDisk, &v.Options, nil) }}
	return p.block("volume", items(p, "volume of a connection", table, nil))
}

func (p *parser) mesh(r *Resource, kw token) bool {
	p.cfg.Modern = true
	m := &Mesh{Pos: kw.pos}
	r.Meshes = append(r.Meshes, m)
	p.level = LevelConnection
	table := map[string]func(kw token) bool{
		"net": func(kw token) bool { return p.options(sectionNet, &m.Options, nil) },
		"hosts": func(kw token) bool {
			last := kw.pos
			for p.tok.value() {
				last = p.tok.pos
				m.HostPos = append(m.HostPos, last)
				m.Hosts = append(m.Hosts, p.take().text)
			}
			return p.end(last)
		},
	}
	return p.block("connection-mesh", items(p, "connection-mesh", table, nil))
}
