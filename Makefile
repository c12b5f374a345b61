# SPDX-License-Identifier: Apache-2.0
# weightfs. `make help` lists what can be typed; the rest of this page says how it is built.
#
# MODE= release (default), asan, tsan, faults or fuzz: each has objects of its own in $(BUILD)/MODE. Sources are found,
# not listed: src/**.c but daemon/main.c make libweightfs.a, each tests/unit/X.c and tests/tools/X.c is a program.
# BUILD= where everything goes; DEPS= where scripts/deps.sh keeps libfuse; FUSE=system never builds libfuse.

MODE  ?= release
BUILD ?= build
DEPS  ?= build
OUT   := $(BUILD)/$(MODE)
BIN   := $(if $(filter release,$(MODE)),$(BUILD),$(OUT))/weightfs

PREFIX  ?= /usr/local
SBINDIR ?= /usr/sbin
export DEPS FUSE

ifeq ($(origin CC),default)
CC := $(if $(filter fuzz,$(MODE)),clang,gcc)
endif
ifeq ($(MAKELEVEL)$(filter -j% --jobserver%,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(shell nproc)
endif
MAKEFLAGS += --no-builtin-rules --no-print-directory
Q := $(if $(V),,@)
.DELETE_ON_ERROR:
.SECONDARY:

# ---- flags

SANITIZE_asan := -fsanitize=address,undefined -fno-sanitize-recover=undefined
SANITIZE_tsan := -fsanitize=thread
SANITIZE_fuzz := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
SANITIZE := $(SANITIZE_$(MODE))
WARN := -Wall -Wextra -Wshadow -Wvla -Wmissing-prototypes -Werror
# Instrumented code draws warnings about itself; the release build is the one that must be without.
OPTIMISE := $(if $(SANITIZE),-O1 -fno-omit-frame-pointer -Wno-error $(SANITIZE),-O2 -D_FORTIFY_SOURCE=2)
FAULTS := $(if $(filter release,$(MODE)),,-DWEIGHTFS_FAULTS)
FLAGS = -std=gnu17 -D_GNU_SOURCE -g $(WARN) $(OPTIMISE) -fstack-protector-strong -fPIE -pthread \
	-Isrc -Iinclude $(FUSE_CFLAGS) $(FAULTS) $(CFLAGS)
LINK = $(CC) -pie -Wl,-z,relro,-z,now $(SANITIZE) $(LDFLAGS)
LIBS = $(FUSE_LIBS) -lcurl -lsqlite3 -lcrypto -ljansson -larchive -lmicrohttpd -lpthread -ldl

# ---- what there is

find     = $(sort $(shell find $(1) -name '*.c' 2>/dev/null))
SOURCES := $(call find,src)
MAIN    := $(filter src/daemon/main.c,$(SOURCES))
objects  = $(1:%.c=$(OUT)/%.o)
LIB     := $(OUT)/libweightfs.a
TESTLIB := $(call objects,$(call find,tests/lib))
UNIT    := $(patsubst tests/unit/%.c,$(OUT)/tests/test-%,$(wildcard tests/unit/*.c))
FAULT   := $(patsubst tests/fault/%.c,$(OUT)/tests/fault-%,$(wildcard tests/fault/*.c))
TOOLS   := $(patsubst tests/tools/%.c,$(OUT)/tools/%,$(wildcard tests/tools/*.c))
FUZZ    := $(patsubst tests/fuzz/%.c,$(OUT)/fuzz-%,$(wildcard tests/fuzz/*.c))
FUZZ_SECONDS ?= 60

.PHONY: all help deps check check-asan check-tsan faults fuzz bench interop demo lint format docs install clean distclean FORCE
all: $(if $(MAIN),$(BIN)) $(LIB) ## build build/weightfs (installs what is missing first)

help: ## this list
	@echo 'make TARGET, where TARGET is one of'
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/\1\t\2/p' Makefile | awk -F '\t' '{ printf "  %-11s %s\n", $$1, $$2 }'

deps: ## install all packages that building and testing need, build libfuse where the system's is too old
	@scripts/deps.sh

RUN = tests/run --build $(BUILD) --mode $(MODE) $(if $(V),--verbose) $(if $(TIER),--tier $(TIER))
export CHECK_CC = $(CC) $(FLAGS)
check: $(if $(MAIN),$(BIN)) $(UNIT) $(TOOLS) $(if $(filter release,$(MODE)),,$(FAULT)) $(DEPS)/.deps-test $(DEPS)/.deps-llama
check: ## run the tests; T=mount/50-evict for some of them, V=1 to see what they say, TIER=fast
	@$(RUN) $(T)

check-asan check-tsan: check-%:
	@$(MAKE) MODE=$* check
check-asan: ## the tests again, against the daemon under ASan and UBSan
check-tsan: ## the tests again, against the daemon under TSan
faults: ## break each fault point once, and look whether the store survived
	@$(MAKE) MODE=faults check
fuzz: $(DEPS)/.deps-fuzz ## fuzz a parser with libFuzzer: F=gguf (without: all of them), FUZZ_SECONDS=60 each
	@$(MAKE) MODE=fuzz $(if $(F),$(F:%=$(BUILD)/fuzz/fuzz-%),$(FUZZ:$(OUT)/%=$(BUILD)/fuzz/%))
	@tests/run --build $(BUILD) --mode fuzz --fuzz-seconds $(FUZZ_SECONDS) $(F:%=fuzz/%)
bench: $(BIN) $(TOOLS) $(DEPS)/.deps-bench $(DEPS)/.deps-test ## measure, and print the table
	WEIGHTFS=$(abspath $(BIN)) BUILD=$(abspath $(BUILD)) tests/bench/run $(T)
interop: $(if $(MAIN),$(BIN)) $(DEPS)/.deps-interop $(DEPS)/.deps-test
interop: ## the real huggingface_hub and llama-server against ours, in a Debian testing tree
	@tests/interop/run --build $(BUILD) $(if $(V),--verbose) $(T)
demo: $(BIN) $(DEPS)/.deps-test ## a short session with a Hub of its own
	WEIGHTFS=$(abspath $(BIN)) BUILD=$(abspath $(BUILD)) scripts/demo
lint: $(DEPS)/.deps-lint ## formatting of C, syntax of scripts
	@scripts/lint
format: $(DEPS)/.deps-lint ## let clang-format rewrite the C sources
	@scripts/lint --fix
docs: $(BIN) ## write docs/tree.md, options.md, errors.md, metrics.md and weightfs.1 from the program's tables
	mkdir -p docs
	for page in tree options errors metrics; do \
		$(BIN) --print-docs $$page >$(BUILD)/page.md && cp $(BUILD)/page.md docs/$$page.md || exit 1; done
	$(BIN) --print-docs man >$(BUILD)/page.md && cp $(BUILD)/page.md docs/weightfs.1

install: $(BIN) ## install; DESTDIR= PREFIX=/usr/local SBINDIR=/usr/sbin (mount(8) looks for its helpers there)
	install -D -m 755 $(BIN) $(DESTDIR)$(PREFIX)/bin/weightfs
	for helper in mount umount; do \
		install -D -m 755 mount-helpers/$$helper.weightfs $(DESTDIR)$(SBINDIR)/$$helper.weightfs || exit 1; done
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/weightfs share/weightfs/catalogue.json
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man1 docs/weightfs.1
	install -D -m 644 contrib/completions/weightfs.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/weightfs
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/doc/weightfs README.md LICENSE $(wildcard docs/*.md)
clean: ## remove what was built, keep libfuse and the interop tree
	rm -rf $(BIN) $(foreach mode,release asan tsan faults fuzz test,$(BUILD)/$(mode))
distclean: ## remove build/ with all that is in it
	! grep -q ' $(abspath $(BUILD))/' /proc/self/mountinfo || { echo "something is mounted below $(BUILD)"; false; }
	rm -rf $(BUILD)

# ---- how

$(DEPS)/.deps-%: scripts/deps.sh
	@scripts/deps.sh $*
	@touch $@
$(DEPS)/deps.mk: scripts/deps.sh
	@scripts/deps.sh build
ifneq ($(filter-out help deps clean distclean lint format,$(or $(MAKECMDGOALS),all)),)
include $(DEPS)/deps.mk
endif

# What the flags and the list of objects are is kept, so that a change of either rebuilds what it must.
keep = @mkdir -p $(@D); printf '%s\n' '$(1)' | cmp -s - $@ || printf '%s\n' '$(1)' >$@
$(OUT)/flags: FORCE
	$(call keep,$(CC) $(FLAGS))
$(OUT)/members: FORCE
	$(call keep,$(filter-out $(MAIN),$(SOURCES)))

compile = $(if $(V),,@echo '  CC   $@' &&) mkdir -p $(@D) && $(CC) $(FLAGS) -MMD -MP -c -o $@ $<
link    = $(if $(V),,@echo '  LINK $@' &&) mkdir -p $(@D) && $(LINK) -o $@ $^ $(LIBS)
$(OUT)/%.o: %.c $(OUT)/flags
	$(compile)
$(LIB): $(call objects,$(filter-out $(MAIN),$(SOURCES))) $(OUT)/members
	$(Q)rm -f $@ && ar rcs $@ $(filter %.o,$^)
$(BIN): $(call objects,$(MAIN)) $(LIB)
	$(link)
$(OUT)/tests/test-%: $(OUT)/tests/unit/%.o $(TESTLIB) $(LIB)
	$(link)
$(OUT)/tests/fault-%: $(OUT)/tests/fault/%.o $(TESTLIB) $(LIB)
	$(link)
$(OUT)/tools/%: $(OUT)/tests/tools/%.o $(TESTLIB) $(LIB)
	$(link)
$(OUT)/fuzz-%: $(OUT)/tests/fuzz/%.o $(LIB)
	$(link) -fsanitize=fuzzer
# The programs of the other modes can be asked for by name.
$(patsubst %,$(BUILD)/%/weightfs,$(filter-out $(MODE),asan tsan faults)): $(BUILD)/%/weightfs: FORCE
	@$(MAKE) MODE=$* $@

-include $(patsubst %.o,%.d,$(call objects,$(SOURCES)) $(TESTLIB) $(wildcard $(OUT)/tests/*/*.o))
