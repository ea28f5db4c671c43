package setup

import (
	"drbd/internal/genl"
)

type argKind int

const (
	argResource argKind = iota
	argResourceOrAll
	argMinor
	argNode
	argVolume
	argNewMinor
	argNewName
	argDisk
	argMetaDisk
	argMetaIndex
	argLocalAddress
	argPeerAddress
)

type argument struct {
	name     string
	kind     argKind
	optional bool
}

// command is one row of the table: what it takes, what it sends, or the function that does something else.
type command struct {
	name    string
	summary string
	args    []argument
	op      genl.Op
	options []*optionSpec
	// changesMinor: the lock of the minor is taken (drbdmeta works on the same disk).
	changesMinor bool
	run          func(*call) error
}

var (
	aResource    = argument{name: "resource", kind: argResource}
	aResourceAll = argument{name: "resource|all", kind: argResourceOrAll, optional: true}
	aMinor       = argument{name: "minor", kind: argMinor}
	aNode        = argument{name: "peer_node_id", kind: argNode}
	aVolume      = argument{name: "volume", kind: argVolume}
	aLocal       = argument{name: "local-addr", kind: argLocalAddress}
	aRemote      = argument{name: "remote-addr", kind: argPeerAddress}
)

// commands is filled in init because some rows refer to functions that look into the table.
var commands []*command

func request(name, summary string, op genl.Op, args []argument, options ...*optionSpec) *command {
	return &command{name: name, summary: summary, args: args, op: op, options: options, run: sendRequest}
}

func minorRequest(name, summary string, op genl.Op, options ...*optionSpec) *command {
	c := request(name, summary, op, []argument{aMinor}, options...)
	c.changesMinor = true
	return c
}

func query(name, summary string, args []argument, run func(*call) error, options ...*optionSpec) *command {
	return &command{name: name, summary: summary, args: args, run: run, options: options}
}

func init() {
	res := []argument{aResource}
	peer := []argument{aResource, aNode}
	peerVolume := []argument{aResource, aNode, aVolume}
	path := []argument{aResource, aNode, aLocal, aRemote}
	all := []argument{aResourceAll}
	attachArgs := []argument{aMinor, {name: "lower_dev", kind: argDisk}, {name: "meta_data_dev", kind: argMetaDisk},
		{name: "meta_data_index", kind: argMetaIndex}}
	attach := request("attach", "give a device its local disk", genl.OpAttach, attachArgs, fromSet(genl.SetDiskConf)...)
	attach.changesMinor = true
	newMinor := request("new-minor", "create a device", genl.OpNewMinor,
		[]argument{aResource, {name: "minor", kind: argNewMinor}, aVolume}, fromSet(genl.SetDeviceConf)...)
	newMinor.run = runNewMinor
	delResource := request("del-resource", "remove a resource that has neither devices nor connections", genl.OpDelResource, res)
	delResource.run = runDelResource
	delMinor := minorRequest("del-minor", "remove a device", genl.OpDelMinor)
	delMinor.run = runDelMinor
	down := request("down", "take a resource down: demote, disconnect, detach, remove", genl.OpDown,
		[]argument{{name: "resource|all", kind: argResourceOrAll}})
	down.run = runDown

	commands = []*command{
		request("primary", "make this node the Primary of a resource", genl.OpPrimary, res,
			alias(fromSet(genl.SetSetRoleParms), "force", 'f', "overwrite-data-of-peer", 'o')...),
		request("secondary", "make this node a Secondary of a resource", genl.OpSecondary, res, fromSet(genl.SetSetRoleParms)...),
		attach,
		minorRequest("disk-options", "change the options of an attached disk", genl.OpChgDiskOpts, withDefaults(changeable(genl.SetDiskConf))...),
		minorRequest("detach", "take the local disk away from a device", genl.OpDetach, fromSet(genl.SetDetachParms)...),
		request("connect", "start to connect to a peer", genl.OpConnect, peer, alias(fromSet(genl.SetConnectParms), "tentative", 0, "dry-run", 0)...),
		request("new-peer", "make a peer known to a resource", genl.OpNewPeer, peer, fromSet(genl.SetNetConf)...),
		request("del-peer", "forget a connection", genl.OpDelPeer, peer, fromSet(genl.SetDisconnectParms)...),
		request("new-path", "add a pair of addresses to a connection", genl.OpNewPath, path),
		request("del-path", "remove a pair of addresses from a connection", genl.OpDelPath, path),
		request("net-options", "change the options of a connection", genl.OpChgNetOpts, peer, withDefaults(changeable(genl.SetNetConf))...),
		request("disconnect", "end the connection to a peer", genl.OpDisconnect, peer, fromSet(genl.SetDisconnectParms)...),
		minorRequest("resize", "adapt a device to the size of its disks", genl.OpResize, fromSet(genl.SetResizeParms)...),
		request("resource-options", "change the options of a resource", genl.OpResourceOpts, res, withDefaults(changeable(genl.SetResourceOpts))...),
		request("peer-device-options", "change the options of a volume towards one peer", genl.OpChgPeerDeviceOpts, peerVolume,
			withDefaults(changeable(genl.SetPeerDeviceOpts))...),
		minorRequest("new-current-uuid", "create a new data generation", genl.OpNewCUUID, fromSet(genl.SetNewCUUIDParms)...),
		minorRequest("invalidate", "replace the local data by a peer's", genl.OpInvalidate, fromSet(genl.SetInvalidateParms)...),
		request("invalidate-remote", "replace a peer's data by the local data", genl.OpInvalPeer, peerVolume, fromSet(genl.SetInvalPeerParams)...),
		request("pause-sync", "pause the resync with a peer", genl.OpPauseSync, peerVolume),
		request("resume-sync", "let a paused resync go on", genl.OpResumeSync, peerVolume),
		minorRequest("suspend-io", "freeze the I/O of a resource", genl.OpSuspendIO, fromSet(genl.SetSuspendIOParams)...),
		minorRequest("resume-io", "let frozen I/O go on", genl.OpResumeIO),
		minorRequest("outdate", "mark the local data as not the newest", genl.OpOutdate),
		request("verify", "compare the data with a peer's", genl.OpStartOV, peerVolume, fromSet(genl.SetStartOVParms)...),
		down,
		request("new-resource", "create a resource", genl.OpNewResource, []argument{aResource, {name: "node_id", kind: argNode}},
			changeable(genl.SetResourceOpts)...),
		newMinor,
		delMinor,
		delResource,
		request("forget-peer", "free everything the metadata keeps about a peer", genl.OpForgetPeer, peer),
		request("rename-resource", "give a resource another name", genl.OpRenameResource, []argument{aResource, {name: "new_name", kind: argNewName}}),
		query("role", "print the role of this node", res, runRole),
		query("peer-role", "print the role of a peer", peer, runPeerRole),
		query("cstate", "print the state of a connection", peer, runConnectionState),
		query("dstate", "print the disk states of a device", []argument{aMinor}, runDiskState),
		query("udev", "print what udev rules need", []argument{aMinor}, runUdev),
		query("check-resize", "note where the metadata is, in case the disk grows while detached", []argument{aMinor}, runCheckResize),
		query("show-gi", "print the data generation with an explanation", peerVolume, runShowGI),
		query("get-gi", "print the data generation", peerVolume, runGetGI),
		query("explain", "say why peers are connected as they are, what their handshake decided, and what to do", res, runExplain),
		query("show", "print the configuration the module works with", all, runShow, flagOption("show-defaults", 'D'), flagOption("json", 'j')),
		query("status", "print the state of resources", all, runStatus, flagOption("verbose", 'v'), flagOption("statistics", 's'),
			colorOption(), flagOption("json", 'j')),
		query("events2", "print the state and then every change of it", all, runEvents, flagOption("timestamps", 'T'), flagOption("statistics", 's'),
			flagOption("now", 'n'), flagOption("poll", 'p'), flagOption("full", 'f'), colorOption(), flagOption("diff", 'i'), numberOption("rcvbuf", 0)),
		query("wait-connect-volume", "wait until a volume is connected to a peer", peerVolume, runWait, waitOptions()...),
		query("wait-connect-connection", "wait until a peer is connected", peer, runWait, waitOptions()...),
		query("wait-connect-resource", "wait until all peers of a resource are connected", res, runWait, waitOptions()...),
		query("wait-sync-volume", "wait until a volume is in sync with a peer", peerVolume, runWait, waitOptions()...),
		query("wait-sync-connection", "wait until everything is in sync with a peer", peer, runWait, waitOptions()...),
		query("wait-sync-resource", "wait until a resource is in sync with all peers", res, runWait, waitOptions()...),
	}
}
