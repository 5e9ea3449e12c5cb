# SPDX-License-Identifier: GPL-2.0-or-later
# make help tells the targets. Everything built lies under .output/.

VERSION := 0.1.0
O := .output
PREFIX ?= /usr/local
CLANG ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool /sbin/bpftool) bpftool)
PKG_CONFIG ?= pkg-config
PROTOC_C ?= protoc-c
CLANG_FORMAT ?= clang-format
FUZZ_SECONDS ?= 5

comma := ,

# The rooms under user/, each may use only those behind it.
ROOMS := cli top capture export report model store symbols python unwind proc base
READING_ROOMS := $(filter-out cli top capture,$(ROOMS))

LIBRARIES := libbpf libdw libelf liblzma sqlite3 jansson libcap-ng libprotobuf-c ncursesw
CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes $(if $(CI),-Werror)
ALL_CFLAGS := -std=gnu11 $(WARNINGS) -D_GNU_SOURCE -DPIPESCOPE_VERSION='"$(VERSION)"' \
	-Iuser -Iinclude -Ibpf -I$(O) $(shell $(PKG_CONFIG) --cflags $(LIBRARIES)) $(CFLAGS)
LDLIBS := $(shell $(PKG_CONFIG) --libs $(LIBRARIES)) -liberty -lz -lm -ldl -lpthread

ARCH := $(shell uname -m | sed 's/x86_64/x86/;s/aarch64/arm64/')
MULTIARCH := $(shell $(CC) -print-multiarch 2>/dev/null)
BPF_CFLAGS := -O2 -g -target bpf -mcpu=v3 -D__TARGET_ARCH_$(ARCH) -Wall -Wextra \
	-Wno-unused-parameter $(if $(CI),-Werror) -Iinclude -Ivmlinux -Ibpf -idirafter /usr/include \
	$(if $(MULTIARCH),-idirafter /usr/include/$(MULTIARCH))

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-8s %s\n'
endif

.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: all help check check-asan check-vm check-full fuzz format format-check install veristat unit clean

all: $(O)/pipescope $(O)/man/pipescope.1 $(O)/completion.bash

help:
	@echo 'make             build .output/pipescope (V=1 shows the commands)'
	@echo 'make check       unit and host tests; scripts/check.sh runs everything'
	@echo 'make check-asan  the same under AddressSanitizer and UndefinedBehaviorSanitizer'
	@echo 'make check-full  check.sh and the long tests: all kernels, long fuzzing'
	@echo 'make check-vm    all kernels in emulated machines, with a real CephFS; prints a table'
	@echo 'make fuzz        each fuzz target for FUZZ_SECONDS=$(FUZZ_SECONDS)'
	@echo 'make veristat    verified instructions of each BPF program against tests/vm/verified.txt'
	@echo 'make format      clang-format in place; format-check fails on a difference'
	@echo 'make install     to PREFIX=$(PREFIX) below DESTDIR'
	@echo 'make clean       remove .output/'

# A change of flags or compilers rebuilds all.
FLAGS_NOW := $(CC) $(ALL_CFLAGS) | $(CLANG) $(BPF_CFLAGS) | $(BPFTOOL) | $(PROTOC_C)
$(shell mkdir -p $(O))
$(file >$(O)/flags.now,$(FLAGS_NOW))
$(shell cmp -s $(O)/flags.now $(O)/flags || cp $(O)/flags.now $(O)/flags)

# --- BPF side: every source one object, linked into one skeleton. What defines shared maps comes
# first: libbpf 1.1 computes wrong offsets for maps that are declared before they are defined.
BPF_FIRST := bpf/maps.bpf.c bpf/walker.bpf.c bpf/remote.bpf.c bpf/offcpu.bpf.c bpf/io.bpf.c
BPF_SOURCES := $(BPF_FIRST) $(filter-out $(BPF_FIRST),$(sort $(wildcard bpf/*.bpf.c)))
BPF_OBJECTS := $(BPF_SOURCES:%.c=$(O)/%.o)

$(O)/bpf/%.bpf.o: bpf/%.bpf.c $(O)/flags
	$(say) BPF $<
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MF $(@:.o=.d) -c $< -o $@

$(O)/bpf/pipescope.bpf.linked.o: $(BPF_OBJECTS)
	$(say) LINK $@
	$(Q)$(BPFTOOL) gen object $@ $^

$(O)/pipescope.skel.h: $(O)/bpf/pipescope.bpf.linked.o
	$(say) SKEL $@
	$(Q)$(BPFTOOL) gen skeleton $< name pipescope_bpf > $@

# --- Text that is part of the program.
define embed
	$(say) EMBED $<
	@mkdir -p $(@D)
	$(Q)sed 's/\\/\\\\/g; s/"/\\"/g; s/?/\\?/g; s/^/"/; s/$$/\\n"/' $< > $@
endef

$(O)/schema.sql.inc: user/store/schema.sql
	$(embed)
$(O)/builtin.rules.inc: user/proc/builtin.rules
	$(embed)

# Names of this machine's system calls, by number.
$(O)/syscall_names.inc: Makefile
	$(say) GEN $@
	@mkdir -p $(@D)
	$(Q)echo '#include <asm/unistd.h>' | $(CC) -E -dM - | \
		sed -n 's/^#define __NR_\([a-z0-9_]*\) \([0-9]*\)$$/[\2] = "\1",/p' > $@

# Encoders of the viewers' formats, part of the room export.
PROTOS := $(patsubst user/%.proto,$(O)/%.pb-c,$(sort $(wildcard user/export/*.proto)))
$(O)/%.pb-c.c $(O)/%.pb-c.h: user/%.proto $(O)/flags
	$(say) PROTO $<
	@mkdir -p $(@D)
	$(Q)$(PROTOC_C) --proto_path=user --c_out=$(O) $<

# --- The HTML report's page, bundled by what scripts/setup.sh got from npm. Without that the
# program is built all the same, without the page.
WEB_SOURCES := $(wildcard web/*.js web/*.css web/*.html web/*.mjs web/package*.json)
WEB_NOW := $(if $(wildcard web/node_modules/.package-lock.json),$(shell command -v node))
$(file >$(O)/web.now,$(WEB_NOW))
$(shell cmp -s $(O)/web.now $(O)/web || cp $(O)/web.now $(O)/web)

$(O)/page.html: $(WEB_SOURCES) $(O)/web
	$(say) WEB $@
ifeq ($(WEB_NOW),)
	@echo 'pipescope is built without the HTML report: scripts/setup.sh gets what it needs from npm' >&2
	$(Q): > $@
else
	$(Q)node web/build.mjs $@
endif

$(O)/page.html.inc: $(O)/page.html
	$(embed)

GENERATED := $(PROTOS:%=%.h) $(O)/pipescope.skel.h $(O)/schema.sql.inc $(O)/builtin.rules.inc $(O)/syscall_names.inc \
	$(O)/page.html.inc
READING_GENERATED := $(filter-out %.skel.h,$(GENERATED))

# --- User side: one archive per room, in the sanitized build under another folder.
# $(1): folder below $(O); $(2): extra flags
define user_rules
$(O)/$(1)/%.o: user/%.c $(O)/flags | $(READING_GENERATED)
	$$(say) CC $$<
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(ALL_CFLAGS) $(2) -MMD -MP -c $$< -o $$@
$(O)/$(1)/%.pb-c.o: $(O)/%.pb-c.c $(O)/flags
	$$(say) CC $$<
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(ALL_CFLAGS) $(2) -MMD -MP -c $$< -o $$@
$(O)/$(1)/tests/%.o: tests/%.c $(O)/flags | $(READING_GENERATED)
	$$(say) CC $$<
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(ALL_CFLAGS) -Ibpf -Itests $(2) -MMD -MP -c $$< -o $$@
endef
$(eval $(call user_rules,user,))
$(eval $(call user_rules,asan,-fsanitize=address$(comma)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer))

# $(1): room; $(2): folder below $(O)
room_objects = $(patsubst user/%.c,$(O)/$(2)/%.o,$(sort $(wildcard user/$(1)/*.c))) \
	$(patsubst $(O)/%,$(O)/$(2)/%.o,$(filter $(O)/$(1)/%,$(PROTOS)))

define room_rules
$(O)/user/$(1).a: $$(call room_objects,$(1),user)
	$$(Q)rm -f $$@; $$(AR) rcs $$@ $$^
$(O)/asan/$(1).a: $$(call room_objects,$(1),asan)
	$$(Q)rm -f $$@; $$(AR) rcs $$@ $$^
endef
$(foreach room,$(ROOMS),$(eval $(call room_rules,$(room))))

$(patsubst user/%.c,$(O)/user/%.o,$(wildcard user/capture/*.c)): | $(O)/pipescope.skel.h

$(O)/pipescope: $(ROOMS:%=$(O)/user/%.a)
	$(say) LINK $@
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# --- Man pages and completion: what the program's own tables of options tell, and words around it.
$(O)/man/pipescope.1: $(O)/pipescope scripts/make-pages.sh $(wildcard docs/man/*.1)
	$(say) PAGES $(@D)
	$(Q)scripts/make-pages.sh $(O)/pipescope docs/man $(@D)
$(O)/completion.bash: $(O)/pipescope scripts/make-completion.sh
	$(say) GEN $@
	$(Q)scripts/make-completion.sh $(O)/pipescope > $@

# --- Unit and host tests: one binary per module; "// Links: proc base" in the source names the
# rooms that it may use, in the order of ROOMS; "// Libraries: dw" what only the test needs.
TESTS := $(patsubst tests/%.c,%,$(wildcard tests/unit/test_*.c tests/host/test_*.c))
links = $(shell sed -n 's|^// Links: ||p' tests/$(1).c)
libraries = $(addprefix -l,$(shell sed -n 's|^// Libraries: ||p' tests/$(1).c))

define test_rules
$(O)/$(2)/tests/$(1): $(O)/$(2)/tests/$(1).o $(foreach room,$(call links,$(1)),$(O)/$(2)/$(room).a)
	$$(say) LINK $$@
	$$(Q)$$(CC) $$(ALL_CFLAGS) $(3) -o $$@ $$^ $$(LDLIBS) -lcmocka $(call libraries,$(1))
endef
$(foreach test,$(TESTS),$(eval $(call test_rules,$(test),user,)))
$(foreach test,$(TESTS),$(eval $(call test_rules,$(test),asan,-fsanitize=address$(comma)undefined)))

unit: $(TESTS:%=$(O)/user/tests/%)
unit-asan: $(TESTS:%=$(O)/asan/tests/%)

check: unit
	$(Q)scripts/run-unit.sh $(TESTS:%=$(O)/user/tests/%)

check-asan: unit-asan
	$(Q)scripts/run-unit.sh $(TESTS:%=$(O)/asan/tests/%)

check-full:
	$(Q)scripts/check.sh --full

check-vm: $(O)/pipescope
	$(Q)tests/vm/matrix.sh

# --- Fuzzing: tests/fuzz/fuzz_X.c with seeds in tests/fuzz/seeds/X/. "// Sources: capture/x.c" names
# single files of a room that cannot be had as a whole.
FUZZERS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_CFLAGS := -std=gnu11 -D_GNU_SOURCE -DPIPESCOPE_VERSION='"$(VERSION)"' -Iuser -Iinclude -I$(O) -Ibpf \
	$(shell $(PKG_CONFIG) --cflags $(LIBRARIES)) -g -O1 -fsanitize=fuzzer,address,undefined \
	-fno-sanitize-recover=all
fuzz_sources = $(foreach room,$(shell sed -n 's|^// Links: ||p' tests/fuzz/$(1).c),\
	$(wildcard user/$(room)/*.c) $(patsubst %,%.c,$(filter $(O)/$(room)/%,$(PROTOS)))) \
	$(addprefix user/,$(shell sed -n 's|^// Sources: ||p' tests/fuzz/$(1).c))

define fuzz_rules
$(O)/fuzz/$(1): tests/fuzz/$(1).c $(call fuzz_sources,$(1)) $(READING_GENERATED)
	$$(say) FUZZ $$@
	@mkdir -p $$(@D)
	$$(Q)$$(CLANG) $$(FUZZ_CFLAGS) -o $$@ $$(filter %.c,$$^) $$(LDLIBS)
endef
$(foreach fuzzer,$(FUZZERS),$(eval $(call fuzz_rules,$(fuzzer))))

fuzz: $(FUZZERS:%=$(O)/fuzz/%)
	$(Q)scripts/run-fuzz.sh $(FUZZ_SECONDS) $(FUZZERS:%=$(O)/fuzz/%)

veristat: $(O)/pipescope
	$(Q)scripts/veristat.sh

# --- House-keeping.
FORMATTED = $(shell find . "(" -name "*.[ch]" -o -name "*.cpp" ")" -not -path "./.output/*" -not -path "./vmlinux/*" \
	-not -path "./web/node_modules/*")
format:
	$(Q)$(CLANG_FORMAT) -i $(FORMATTED)
format-check:
	$(Q)$(CLANG_FORMAT) --dry-run -Werror $(FORMATTED)

install: $(O)/pipescope $(O)/man/pipescope.1 $(O)/completion.bash
	install -D -m 0755 $(O)/pipescope $(DESTDIR)$(PREFIX)/bin/pipescope
	install -D -m 0644 $(O)/completion.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/pipescope
	for page in $(O)/man/*.1; do install -D -m 0644 $$page $(DESTDIR)$(PREFIX)/share/man/man1/$${page##*/}; done

clean:
	rm -rf $(O)

# Whole systems lie in pythons and vm.
-include $(shell find $(O) "(" -path $(O)/pythons -o -path $(O)/vm ")" -prune -o -name '*.d' -print 2>/dev/null)
