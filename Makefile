# Entry points of the project; `make help` lists them. The work is done by
# scripts/ (packages, kernels, builds) and test/ (what is run).

SHELL := /bin/bash
KVER  ?=
CACHE := $(or $(DRBD_CACHE),.cache)

.NOTPARALLEL:

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: setup tools guest ## mirror a disk between two virtual machines, fail over, heal (about 2 minutes)
	@scripts/build-module 6.1
	@$(CACHE)/bin/demo $(DEMO_FLAGS)

.PHONY: test
test: ## all checks, then the tests with virtual machines
	@scripts/setup-host test
	@scripts/run-tests

.PHONY: test-fast
test-fast: ## the checks that need no virtual machine
	@scripts/setup-host test
	@scripts/run-tests --fast

.PHONY: test-long
test-long: ## the same with more rounds, more seeds, longer fuzzing
	@scripts/setup-host test
	@scripts/run-tests --long

.PHONY: test-debug
test-debug: ## the tests of pairs of ours on a kernel with KASAN and lockdep (builds that kernel first)
	@scripts/setup-host test
	@scripts/run-tests --debug

.PHONY: cover
cover: ## how much of kernel/core the tests execute, by lines and branches: SEEDS=300
	@scripts/cover-core $(or $(SEEDS),300)

.PHONY: bench
bench: setup tools guest ## what an I/O costs: raw, ours, the stock module, md mirrors (10 minutes); BENCH_FLAGS="-help"
	@scripts/build-module 6.1
	@scripts/go run ./test/bench $(or $(BENCH_FLAGS),-rounds 2 -json $(CACHE)/bench.json)

.PHONY: sim
sim: ## run the simulator: SEEDS=2000 (FIRST=1); one of them with a trace: SEED=17 (ACTIONS=60)
	@scripts/go test ./test/sim -count=1 -timeout 0 -run 'TestSeeds$$' -v -args $(if $(ACTIONS),-actions $(ACTIONS)) $(if $(SEED),-seed $(SEED),-seeds $(or $(SEEDS),2000) -first $(or $(FIRST),1))

.PHONY: mutants
mutants: ## undo the rules of kernel/core one by one: what notices it, and how soon? SEEDS=1000 (3 minutes)
	@scripts/go run ./test/mutants -seeds $(or $(SEEDS),1000)

.PHONY: module
module: ## build drbd.ko: for the running kernel, or for a stock Debian kernel, KVER=5.10, 6.1, 6.12, 7.2
ifeq ($(KVER),)
	$(MAKE) -C /lib/modules/$(shell uname -r)/build M=$(CURDIR)/kernel modules
else
	@scripts/build-module $(KVER)
endif

.PHONY: tools
tools: ## build the programs, static, into bin/
	@scripts/build-tools

.PHONY: guest
guest: ## fetch stock kernels and make the test machines' disk image
	@scripts/build-guest

.PHONY: setup
setup: ## install what the build and the test machines need (Debian 12, root)
	@scripts/setup-host

.PHONY: dkms-source
dkms-source: ## lay out the module's source for dkms in DEST (default: a folder in the cache)
	@scripts/dkms-source $(or $(DEST),$(CACHE)/dkms/source)

.PHONY: install
install: ## install the module (below updates/) and install-tools; DESTDIR is honoured
	$(MAKE) -C /lib/modules/$(shell uname -r)/build M=$(CURDIR)/kernel INSTALL_MOD_DIR=updates \
		$(if $(DESTDIR),INSTALL_MOD_PATH=$(DESTDIR)) modules_install
	@$(MAKE) --no-print-directory install-tools

.PHONY: install-tools
install-tools: ## install all but the module: tools, manuals, start scripts, handlers; DESTDIR is honoured
	install -d $(DESTDIR)/usr/sbin
	install -m 755 bin/drbdadm bin/drbdsetup bin/drbdmeta $(DESTDIR)/usr/sbin/
	@scripts/install-docs $(DESTDIR)
	@scripts/install-host $(DESTDIR)

.PHONY: clean
clean: ## remove what was built; downloaded packages stay
	rm -rf bin $(CACHE)/bin $(CACHE)/module $(CACHE)/runs $(CACHE)/dkms
	find kernel \( -name '*.o' -o -name '*.ko' -o -name '*.mod' -o -name '*.mod.c' -o -name '.*.cmd' \
		-o -name Module.symvers -o -name modules.order \) -delete

.PHONY: clean-cache
clean-cache: ## remove the cache with the downloads, too
	rm -rf bin $(CACHE)
