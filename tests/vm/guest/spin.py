# SPDX-License-Identifier: GPL-2.0-or-later
"""Spends its time in one known function, below another, until it is killed."""


def guest_inner_loop():
    total = 0
    for number in range(200000):
        total += number * number
    return total


def guest_outer_loop():
    while True:
        guest_inner_loop()


guest_outer_loop()
