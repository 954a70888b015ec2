# SPDX-License-Identifier: GPL-2.0-only
# make              build/kmemtrace
# make STATIC=1     the same as one static binary, to copy to the host in trouble
# make test         all tests (live tests need root); make unit: only unit tests, which need no root
# make test-vm      boot each kernel of scripts/vm.sh and run tests/vm in it
# make STATIC=1 B=build/arm64 ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- SYSROOT=DIR   (scripts/sysroot-arm64.sh DIR)
# make compile_commands.json   how each C file is compiled, for clangd, clang-tidy and editors
# make install      DESTDIR and PREFIX as usual; make uninstall, with the same values, removes it
# Changed settings (STATIC, CC, CFLAGS, …, and new versions of compilers and libraries) rebuild what they affect.

PREFIX  ?= /usr/local
ifeq ($(origin CC),default)
CC      := gcc
endif
CLANG   ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
ARCH    := $(shell uname -m | sed 's/x86_64/x86/;s/aarch64/arm64/')
B       := build

CFLAGS  ?= -O2 -g
KCFLAGS := -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
           -Werror -Iuser -Ibpf -I$(B)/gen -MMD -MP
BPF_CFLAGS := -O2 -g -target bpf -mcpu=v3 -D__TARGET_ARCH_$(ARCH) -std=gnu11 -Wall -Wextra -Werror \
           -Wno-unused-parameter -Ivmlinux -Ibpf -MMD -MP
PKGS    := libbpf libelf zlib sqlite3 jansson libcap-ng
PKG_CONFIG := pkg-config
ifdef CROSS_COMPILE
CC      := $(CROSS_COMPILE)gcc
AR      := $(CROSS_COMPILE)ar
SYSROOT_LIB := $(SYSROOT)/usr/lib/$(shell $(CC) -dumpmachine)
PKG_CONFIG := PKG_CONFIG_LIBDIR=$(SYSROOT_LIB)/pkgconfig PKG_CONFIG_SYSROOT_DIR=$(SYSROOT) pkg-config
CPPFLAGS += -isystem $(SYSROOT)/usr/include
LDFLAGS += -L$(SYSROOT_LIB)
endif
# report --lines needs libdw; without it, all else works. A static link needs static archives of what libdw uses, too, so it is
# tried (those of elfutils 0.192 in Debian 13 cannot be linked). `make LIBDW=` builds without libdw.
LIBDW_TRY := char dwfl_module_getdwarf(void), dwfl_report_offline(void), dwarf_getsrc_die(void), dwarf_ranges(void); int main(void) { \
	return dwfl_module_getdwarf() + dwfl_report_offline() + dwarf_getsrc_die() + dwarf_ranges(); }
LIBDW   ?= $(shell $(PKG_CONFIG) --exists libdw && { [ -z '$(STATIC)' ] || echo '$(LIBDW_TRY)' | $(CC) -x c -w -static $(LDFLAGS) \
	-o /dev/null - $$($(PKG_CONFIG) --libs --static libdw libelf) 2>/dev/null; } && echo yes)
ifeq ($(strip $(LIBDW)),yes)
PKGS    := libdw $(PKGS)
KCFLAGS += -DKMT_LIBDW
endif
LDLIBS_DYN := $(shell $(PKG_CONFIG) --libs $(PKGS)) -lm
LDLIBS_STA := $(shell $(PKG_CONFIG) --libs --static $(PKGS)) -lm
ifdef STATIC
LDFLAGS += -static
LDLIBS  := $(LDLIBS_STA) $(B)/libkmemtrace.a
else
LDLIBS  := $(LDLIBS_DYN)
endif

BPF_OWN   := census kinds lenses origins refs roots# objects of their own, in the variant that runs on every kernel
BPF_TRACE := $(filter-out $(BPF_OWN:%=bpf/%.bpf.c),$(sort $(wildcard bpf/*.bpf.c)))
USER_SRC  := $(sort $(shell find user -name '*.c'))
OBJ       := $(USER_SRC:%.c=$(B)/obj/%.o)
LIB_OBJ   := $(filter-out $(B)/obj/user/main.o,$(OBJ))
SKEL      := $(B)/gen/tracer.skel.h $(B)/gen/tracer_legacy.skel.h $(BPF_OWN:%=$(B)/gen/%.skel.h)
UNIT_SRC  := $(sort $(wildcard tests/unit/test_*.c))
UNIT_BIN  := $(UNIT_SRC:tests/unit/%.c=$(B)/tests/%)

# `make V=1` shows the commands
Q := $(if $(V),,@)

.PHONY: all test unit live fuzz plants bench bench-tools vm-tools test-vm test-vm-reboot kernels-doc check-vmlinux check \
	install uninstall clean FORCE
all: $(B)/kmemtrace
# keep headers that make builds as intermediate files: everything else includes them
.SECONDARY:

# ---- settings: targets depend on these files, which change when a setting changes ----
# ccache does not change the output. BPF objects, C objects and linked programs each have a file, so STATIC=1 only links again.
SETTINGS := $(B)/settings
settings_bpf = $(filter-out ccache,$(CLANG)) $(BPF_CFLAGS) | $(shell $(CLANG) --version 2>&1 | head -n 1; \
	$(BPFTOOL) version 2>&1 | head -n 1; $(PKG_CONFIG) --modversion libbpf)
settings_cc = $(filter-out ccache,$(CC)) $(CPPFLAGS) $(CFLAGS) $(KCFLAGS) $(SAN) | $(shell $(CC) --version 2>&1 | head -n 1; \
	$(PKG_CONFIG) --modversion $(PKGS))
settings_link = $(filter-out ccache,$(CC)) $(CFLAGS) $(LDFLAGS) $(LDLIBS) $(LDLIBS_DYN)

# `make && sudo make install` must install what was built. sudo hides the settings of the first make, so `make install` does
# not compare them, unless it is given some.
ifeq ($(filter-out install uninstall,$(or $(MAKECMDGOALS),all))$(filter command%,$(foreach setting,CC CLANG BPFTOOL \
	ARCH CFLAGS CPPFLAGS LDFLAGS STATIC CROSS_COMPILE SYSROOT,$(origin $(setting)))),)
COMPARE :=
else
COMPARE := FORCE
endif

$(SETTINGS)/%: $(COMPARE)
	$(shell mkdir -p $(@D))$(file >$@.new,$(settings_$*))
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

# ---- BPF: compile all sources together, then generate a skeleton ----
# Separate objects do not work: the linker of libbpf 1.1 fails if two objects use the same kfunc.
$(B)/bpf/tracer.bpf.c: $(BPF_TRACE) Makefile
	@mkdir -p $(@D)
	$(Q)printf '#include "%s"\n' $(notdir $(BPF_TRACE)) > $@

# tracer_legacy: the same for kernels before 5.12 and those without BTF, see bpf/compat.bpf.h
$(B)/bpf/tracer_legacy.o: BPF_VARIANT := -DKMT_LEGACY
$(B)/bpf/tracer.o $(B)/bpf/tracer_legacy.o: $(B)/bpf/tracer.bpf.c $(SETTINGS)/bpf
	@echo "  BPF  $@"
	$(Q)$(CLANG) $(BPF_CFLAGS) $(BPF_VARIANT) -MT $@ -MF $(@:.o=.d) -c $< -o $@.tmp
	$(Q)$(BPFTOOL) gen object $@ $@.tmp

# the census, its kinds, lenses and origins, and the scan for references: the loader needs the tables of a recording for none of them
$(BPF_OWN:%=$(B)/bpf/%.o): $(B)/bpf/%.o: bpf/%.bpf.c Makefile $(SETTINGS)/bpf
	@mkdir -p $(@D)
	@echo "  BPF  $@"
	$(Q)$(CLANG) $(BPF_CFLAGS) -DKMT_LEGACY -MT $@ -MF $(@:.o=.d) -c $< -o $@.tmp
	$(Q)$(BPFTOOL) gen object $@ $@.tmp

$(B)/gen/%.skel.h: $(B)/bpf/%.o
	@mkdir -p $(@D)
	@echo "  GEN  $@"
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@.tmp && mv $@.tmp $@

# ---- user-space program ----
$(B)/obj/%.o: %.c Makefile $(SETTINGS)/cc | $(SKEL)
	@mkdir -p $(@D)
	@echo "  CC   $@"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(KCFLAGS) -c $< -o $@

# The capture's schema as a C string literal.
$(B)/gen/%.sql.h: user/capture/%.sql Makefile
	@mkdir -p $(@D)
	$(Q)sed 's/\\/\\\\/g;s/"/\\"/g;s/.*/"&\\n"/' $< > $@.tmp && mv $@.tmp $@

$(B)/obj/user/capture/format.o $(B)/san/user/capture/format.o: $(B)/gen/schema.sql.h

$(B)/libkmemtrace.a: $(LIB_OBJ)
	@rm -f $@
	$(AR) rcs $@ $^

$(B)/kmemtrace: $(B)/obj/user/main.o $(B)/libkmemtrace.a $(SETTINGS)/link
	@echo "  CC   $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter-out $(SETTINGS)/%,$^) $(LDLIBS)

# ---- tests ----
# Unit tests and all that they use are built with ASan and UBSan, in a separate directory.
SAN      := -fsanitize=address,undefined,float-cast-overflow -fno-sanitize-recover=all -O1 -g
SAN_OBJ  := $(LIB_OBJ:$(B)/obj/%.o=$(B)/san/%.o)
$(B)/san/%.o: %.c Makefile $(SETTINGS)/cc | $(SKEL)
	@mkdir -p $(@D)
	@echo "  CC   $@"
	$(Q)$(CC) $(SAN) $(KCFLAGS) -c $< -o $@

$(B)/san/libkmemtrace.a: $(SAN_OBJ)
	@rm -f $@
	$(AR) rcs $@ $^

$(B)/tests/test_%: tests/unit/test_%.c $(B)/san/libkmemtrace.a Makefile $(SETTINGS)/cc
	@mkdir -p $(@D)
	@echo "  CC   $@"
	$(Q)$(CC) $(SAN) $(KCFLAGS) -Itests/unit -DTESTS_DIR='"$(CURDIR)/tests"' -o $@ $< $(B)/san/libkmemtrace.a \
		$(LDLIBS_DYN) -lcmocka

# Live tests in C load BPF programs as root, and are built without sanitizers.
LIVE_SRC := $(sort $(wildcard tests/live/test_*.c))
LIVE_BIN := $(LIVE_SRC:tests/live/%.c=$(B)/live/%)
$(B)/live/%: tests/live/%.c $(B)/libkmemtrace.a Makefile $(SETTINGS)/cc
	@mkdir -p $(@D)
	@echo "  CC   $@"
	$(Q)$(CC) $(CFLAGS) $(KCFLAGS) -o $@ $< $(B)/libkmemtrace.a $(LDLIBS_DYN) -lcmocka

live: $(LIVE_BIN)

# plant holds known objects; churn allocates and frees many. They need only libc, so STATIC=1 works anywhere.
PLANT_OBJ := $(patsubst tests/plant/%.c,$(B)/plant/%.o,$(filter-out tests/plant/churn.c,$(wildcard tests/plant/*.c)))
CHURN_OBJ := $(B)/plant/churn.o $(B)/plant/kinds.o $(B)/plant/ring.o
$(B)/plant/%.o: tests/plant/%.c Makefile $(SETTINGS)/cc
	@mkdir -p $(@D)
	@echo "  CC   $@"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(KCFLAGS) -c $< -o $@

$(B)/plant/plant: $(PLANT_OBJ) $(SETTINGS)/link
	@echo "  CC   $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter-out $(SETTINGS)/%,$^) -pthread

$(B)/plant/churn: $(CHURN_OBJ) $(SETTINGS)/link
	@echo "  CC   $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter-out $(SETTINGS)/%,$^) -pthread

# ---- what scripts/bench.sh runs ----
BENCH_BIN := $(B)/bench/bench_load $(B)/bench/bench_attach $(B)/bench/bench_turns
$(B)/bench/%.bpf.o: tests/bench/%.bpf.c Makefile $(SETTINGS)/bpf
	@mkdir -p $(@D)
	@echo "  BPF  $@"
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@

$(B)/bench/%.skel.h: $(B)/bench/%.bpf.o
	@echo "  GEN  $@"
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@.tmp && mv $@.tmp $@

$(B)/bench/%: tests/bench/%.c Makefile $(B)/libkmemtrace.a $(SETTINGS)/cc $(SETTINGS)/link | $(B)/bench/classic.skel.h
	@mkdir -p $(@D)
	@echo "  CC   $@"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Wshadow -Werror -I$(B)/bench -Iuser -Ibpf -MMD -MP \
		$(LDFLAGS) -o $@ $< $(LDLIBS) -lm -pthread

bench-tools: $(BENCH_BIN)
bench: all bench-tools
	./scripts/bench.sh

unit: $(UNIT_BIN)
plants: $(B)/plant/plant $(B)/plant/churn
test: all unit live plants
	./scripts/test.sh --no-install

# ---- other kernels: programs for the guests, besides kmemtrace and the plants ----
VM_TOOLS := $(B)/vm-tools/jsonq $(B)/vm-tools/bpfload $(B)/vm-tools/capexec
$(B)/vm-tools/%: tests/vm/%.c Makefile $(B)/libkmemtrace.a $(SETTINGS)/cc $(SETTINGS)/link
	@mkdir -p $(@D)
	@echo "  CC   $@"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Wshadow -Werror $(LDFLAGS) -o $@ $< $(LDLIBS)

vm-tools: $(VM_TOOLS) $(B)/bpf/tracer.o $(B)/bpf/tracer_legacy.o
test-vm:
	./scripts/vm.sh
# record before and after a reboot, and on another kernel, and compare
test-vm-reboot:
	./scripts/vm-reboot.sh

# write docs/kernels.md from the last run of test-vm
kernels-doc:
	./scripts/kernels-doc.sh >docs/kernels.md.tmp && mv docs/kernels.md.tmp docs/kernels.md

# compare every hand-written kernel type with the BTF of real kernels
check-vmlinux:
	./scripts/check-vmlinux.sh

# Fuzzers and their seeds, for clang with libFuzzer (libclang-rt-*-dev); scripts/fuzz.sh runs them. A run ends at the first
# crash or undefined behaviour. SQLite and jansson come from the system, without instrumentation.
FUZZ     := -fsanitize=fuzzer-no-link,address,undefined,float-cast-overflow -fno-sanitize-recover=all -O1 -g
FUZZ_SRC := user/capture_input.c $(filter $(addprefix user/,$(addsuffix /%,base data capture proc sym model diff findings render export)), \
            $(USER_SRC)) tests/fuzz/common.c
FUZZ_OBJ := $(FUZZ_SRC:%.c=$(B)/fuzz/obj/%.o)
FUZZ_BIN := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
fuzz: $(FUZZ_BIN) $(B)/fuzz/seeds
$(B)/fuzz/obj/%.o: %.c Makefile | $(B)/gen/schema.sql.h
	@mkdir -p $(@D)
	@echo "  CC   $@"
	$(Q)$(CLANG) $(FUZZ) $(KCFLAGS) -Itests/fuzz -Itests/unit -DTESTS_DIR='"$(CURDIR)/tests"' \
		-DFUZZ_SEEDS='"$(CURDIR)/$(B)/fuzz/seeds"' -c $< -o $@

$(B)/fuzz/fuzz_%: $(B)/fuzz/obj/tests/fuzz/fuzz_%.o $(FUZZ_OBJ)
	$(Q)$(CLANG) $(FUZZ) -fsanitize=fuzzer -o $@ $^ $(LDLIBS_DYN)

$(B)/fuzz/make_seeds: $(B)/fuzz/obj/tests/fuzz/make_seeds.o $(FUZZ_OBJ)
	$(Q)$(CLANG) $(FUZZ) -o $@ $^ $(LDLIBS_DYN)

$(B)/fuzz/seeds: $(B)/fuzz/make_seeds $(wildcard tests/fixtures/captures/*.gz)
	$(Q)rm -rf $@ && $< $@

# Print how each C file is compiled, as lines "FILE COMMAND", and turn that into a compilation database.
# https://clang.llvm.org/docs/JSONCompilationDatabase.html
DB_CC   := $(filter-out ccache,$(CC)) $(CPPFLAGS) $(filter-out -MMD -MP,$(KCFLAGS))
DB_BPF  := $(filter-out ccache,$(CLANG)) $(filter-out -MMD -MP,$(BPF_CFLAGS))
DB_TEST := -Itests/unit -DTESTS_DIR=\"$(CURDIR)/tests\"
compile_commands.json: Makefile $(SETTINGS)/cc $(SETTINGS)/bpf $(USER_SRC) $(UNIT_SRC) $(LIVE_SRC) $(BPF_TRACE) $(BPF_OWN:%=bpf/%.bpf.c) | $(SKEL) $(B)/gen/schema.sql.h
	@echo "  GEN  $@"
	$(Q){ \
		for file in $(USER_SRC) $(LIVE_SRC) $(wildcard tests/plant/*.c); do echo "$$file" '$(DB_CC)'; done; \
		for file in $(UNIT_SRC); do echo "$$file" '$(DB_CC) $(DB_TEST)'; done; \
		for file in $(BPF_TRACE) $(BPF_OWN:%=bpf/%.bpf.c); do echo "$$file" '$(DB_BPF)'; done; \
	} | sed 's/[\"]/\\&/g' | awk -v dir='$(CURDIR)' 'BEGIN { printf "[" } { \
		file = $$1; $$1 = ""; \
		printf "%s\n{\"directory\": \"%s\", \"file\": \"%s\", \"command\": \"%s -c %s\"}", \
			(NR > 1 ? "," : ""), dir, file, substr($$0, 2), file \
	} END { print "\n]" }' >$@.tmp && mv $@.tmp $@

# Install into bin, because every user may run report and diff. Earlier versions were installed into sbin; remove them,
# because root's PATH would find them first.
install: all
	rm -f $(DESTDIR)$(PREFIX)/sbin/kmemtrace
	install -D -m 0755 $(B)/kmemtrace $(DESTDIR)$(PREFIX)/bin/kmemtrace
	install -D -m 0644 docs/kmemtrace.8 $(DESTDIR)$(PREFIX)/share/man/man8/kmemtrace.8
	install -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/kmemtrace/schema docs/schema/*.json

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/kmemtrace $(DESTDIR)$(PREFIX)/sbin/kmemtrace $(DESTDIR)$(PREFIX)/share/man/man8/kmemtrace.8
	rm -rf $(DESTDIR)$(PREFIX)/share/kmemtrace

clean:
	rm -rf $(B)

-include $(shell find $(B) -name '*.d' 2>/dev/null)
