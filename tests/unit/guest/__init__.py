"""Tests of the guest: channel, serial line, testinfra backend."""
