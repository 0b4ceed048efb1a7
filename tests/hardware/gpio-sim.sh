#!/usr/bin/env bash
# gpio-sim.sh KERNEL OUT: builds gpio-sim, which no Debian kernel has, from that kernel's own sources. KERNEL holds the unpacked
# packages linux-headers-* and linux-source-*; OUT/gpio_sim.ko is built once.
set -euo pipefail
kernel=$(realpath "$1") out=$2
headers=$(echo "$kernel"/usr/src/linux-headers-*[0-9]-a*) source=$(echo "$kernel"/usr/src/linux-source-*.tar.*)
[ -f "$out/gpio_sim.ko" ] && [ "$(cat "$out/built-for" 2>/dev/null)" = "${headers##*/}" ] && exit 0

rm -rf "$out"
mkdir -p "$out"
tar -xf "$source" -C "$out" --transform 's:.*/::' --wildcards '*/drivers/gpio/gpio-sim.c' '*/drivers/gpio/gpiolib.h' '*/kernel/irq/irq_sim.c'
# A module may not call irq_to_desc.
sed -i 's/irq_to_desc(irqnum)/irq_data_to_desc(irq_get_irq_data(irqnum))/' "$out/irq_sim.c"
printf 'obj-m := gpio_sim.o\ngpio_sim-y := gpio-sim.o irq_sim.o\n' >"$out/Makefile"
# The headers name each other by where they would be installed.
sed -i "s:^include .*/usr/src:include $kernel/usr/src:" "$headers/Makefile"
make -s -C "$headers" M="$(realpath "$out")" modules >"$out/log" 2>&1 || { tail -20 "$out/log" >&2; exit 1; }
echo "${headers##*/}" >"$out/built-for"
