"""The pure half of the phases: what was seen becomes a verdict."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from needs import posix_paths

from harness.config.model import Recoverable
from harness.core.verdict import Check, Status
from harness.guest.channel import CommandResult
from harness.ownership.marker import ForeignPath, ForeignReason
from harness.phases import cleanup, cloud_init, cluster, creation, iso_copy, packages, power_cycle, restarts
from harness.phases import installation_identity as identity
from harness.phases.installation_identity import Identity
from harness.vmware.vmx import Vmx


def said(stdout: str, exit_status: int = 0, stderr: str = "") -> CommandResult:
    return CommandResult("cloud-init status --format=json", exit_status, stdout, stderr, 0.1)


class TestCleanup:
    VMS = Path("/vms/m1")

    def test_nothing_there_may_be_used(self) -> None:
        assert cleanup.judge_unclaimed(self.VMS, (), link=False).status is Status.PASS

    def test_what_is_in_the_ledger_may_be_removed(self) -> None:
        assert cleanup.judge_claimed(self.VMS, None).status is Status.PASS

    def test_what_is_in_the_ledger_and_is_not_ours_is_left_alone(self) -> None:
        check = cleanup.judge_claimed(self.VMS, ForeignPath(self.VMS, ForeignReason.NO_MARKER))
        assert check.status is Status.FAIL
        assert ForeignReason.NO_MARKER in check.seen

    def test_a_machine_that_is_not_in_the_ledger_is_left_alone(self) -> None:
        check = cleanup.judge_unclaimed(self.VMS, ("m1.vmx", "m1.vmdk"), link=False)
        assert check.status is Status.FAIL
        assert "m1.vmx" in check.seen
        assert "left alone" in check.remedy

    def test_other_files_may_stay_beside_the_machine_and_are_told(self) -> None:
        check = cleanup.judge_unclaimed(self.VMS, ("thesis.docx",), link=False)
        assert check.status is Status.PASS
        assert "kept, because not ours: thesis.docx" in check.seen

    def test_a_link_is_not_a_place_for_a_machine(self) -> None:
        assert cleanup.judge_unclaimed(self.VMS, (), link=True).status is Status.FAIL


class TestCreation:
    PLANNED = {"memsize": "4096", "sata0:1.startConnected": "TRUE"}  # noqa: RUF012  (never changed)

    def test_keys_are_compared_without_case_and_others_may_stand_beside(self) -> None:
        read = {"MEMSIZE": "4096", "sata0:1.startconnected": "TRUE", "vmotion.checkpointFBSize": "4"}
        assert creation.judge_vmx(self.PLANNED, read).status is Status.PASS

    def test_a_changed_and_a_missing_key_are_both_named(self) -> None:
        check = creation.judge_vmx(self.PLANNED, {"memsize": "1024"})
        assert check.status is Status.FAIL
        assert "memsize is '1024', not '4096'" in check.seen
        assert "sata0:1.startConnected is 'missing', not 'TRUE'" in check.seen


class TestPayload:
    def test_every_file_with_the_digest_of_the_iso(self) -> None:
        assert iso_copy.judge_payload({"k3s": "aa"}, {"k3s": "aa", "extra": "bb"}).status is Status.PASS

    @pytest.mark.parametrize(("seen", "text"), [({}, "missing: k3s"), ({"k3s": "ab"}, "damaged: k3s")])
    def test_a_missing_or_damaged_file_is_named(self, seen: dict[str, str], text: str) -> None:
        check = iso_copy.judge_payload({"k3s": "aa"}, seen)
        assert check.status is Status.FAIL
        assert text in check.seen

    def test_an_iso_without_payload_proves_nothing(self) -> None:
        assert iso_copy.judge_payload({}, {"k3s": "aa"}).status is Status.NOT_PROVEN

    def test_sha256sum_lines_with_blanks_in_names(self) -> None:
        assert iso_copy.parse_sha256sum("aa  ./a b\nbb  ./dir/c\n") == {"a b": "aa", "dir/c": "bb"}


class TestCloudInit:
    DONE = json.dumps({"status": "done", "errors": [], "detail": "DataSourceNoCloud"})

    def judge(self, result: CommandResult, policy: Recoverable = Recoverable.FAIL) -> Status:
        return cloud_init.judge_result(result, cloud_init.parse_status(result.stdout), policy).status

    def test_done_without_errors(self) -> None:
        assert self.judge(said(self.DONE)) is Status.PASS

    def test_text_around_the_json_is_tolerated(self) -> None:
        assert self.judge(said(f"....\n{self.DONE}\n")) is Status.PASS

    @pytest.mark.parametrize("state", ["running", "error", "disabled", "not run"])
    def test_any_other_state_fails(self, state: str) -> None:
        assert self.judge(said(json.dumps({"status": state, "errors": []}))) is Status.FAIL

    def test_an_error_fails_and_is_shown(self) -> None:
        result = said(json.dumps({"status": "error", "errors": ["('runcmd', no)"]}), exit_status=1)
        check = cloud_init.judge_result(result, cloud_init.parse_status(result.stdout), Recoverable.ACCEPT)
        assert check.status is Status.FAIL
        assert "('runcmd', no)" in check.seen

    @pytest.mark.parametrize(("policy", "status"), [(Recoverable.FAIL, Status.FAIL), (Recoverable.ACCEPT, Status.PASS)])
    def test_recoverable_errors_are_shown_and_judged_by_the_policy(self, policy: Recoverable, status: Status) -> None:
        text = json.dumps({"status": "done", "errors": [], "recoverable_errors": {"WARNING": ["old key"]}})
        result = said(text, exit_status=2)
        check = cloud_init.judge_result(result, cloud_init.parse_status(text), policy)
        assert check.status is status
        assert "WARNING: old key" in check.seen

    @pytest.mark.parametrize("text", ["", "status: done", "{broken", "[1]"])
    def test_no_json_is_not_proven(self, text: str) -> None:
        assert self.judge(said(text)) is Status.NOT_PROVEN


class TestPackages:
    NAMES = ("jq", "htop")

    def test_dpkg_decides(self) -> None:
        found = packages.parse_dpkg("jq ii  1.6-2.1\nhtop ii  3.2.2-2\n")
        assert packages.judge_dpkg(self.NAMES, found).status is Status.PASS

    def test_a_name_that_an_installed_package_provides_counts(self) -> None:
        text = "bind9-jq ii  9.20 jq, htop (= 3)\nold-htop rc  1 telnet\n"
        check = packages.judge_dpkg(self.NAMES, packages.parse_dpkg(text))
        assert check.status is Status.PASS
        assert "htop ii 9.20 (by bind9-jq)" in check.seen
        assert packages.judge_dpkg(("telnet",), packages.parse_dpkg(text)).status is Status.FAIL

    @pytest.mark.parametrize("text", ["jq ii  1.6\n", "jq ii  1.6\nhtop un \n", "jq ii  1.6\nhtop iU  3.2\n", ""])
    def test_anything_but_ii_fails(self, text: str) -> None:
        check = packages.judge_dpkg(self.NAMES, packages.parse_dpkg(text))
        assert check.status is Status.FAIL
        assert "htop" in check.seen

    @pytest.mark.parametrize(
        ("text", "status"),
        [
            ('{"expected": 2, "installed": 2, "missing": []}', Status.PASS),
            ('{"expected": 2, "installed": 0, "missing": ["jq", "htop"]}', Status.FAIL),
            ("[1]", Status.NOT_PROVEN),
            ("installed=2\nexpected=2\n", Status.PASS),
            ("installed=0\nexpected=2\n", Status.FAIL),
            ("installed=1\nexpected=1\n", Status.FAIL),
            ("installed=all\nexpected=2\n", Status.NOT_PROVEN),
            ("", Status.NOT_PROVEN),
        ],
    )
    def test_a_marker_has_to_count_everything_and_proves_nothing_without_counts(
        self, text: str, status: Status
    ) -> None:
        assert packages.judge_marker(text, self.NAMES).status is status

    def test_a_lab_file_without_packages_proves_nothing(self) -> None:
        assert packages.judge_marker('{"expected": 0, "installed": 0}', ()).status is Status.NOT_PROVEN
        assert packages.judge_dpkg((), {}).status is Status.NOT_PROVEN
        assert self.source(wanted=[]).status is Status.NOT_PROVEN

    KNOWN = packages.parse_dpkg("jq ii  1:1.6\ninetutils-telnet ii  2:2.4 telnet\nhtop un \n")
    BROUGHT = frozenset({("jq", "1:1.6"), ("inetutils-telnet", "2:2.4")})
    LISTS = ("_usr_local_seed_packages_._Packages", "lock", "partial")

    def source(
        self,
        wanted: Sequence[str] = ("jq", "telnet"),
        brought: frozenset[tuple[str, str]] = BROUGHT,
        lists: tuple[str, ...] = LISTS,
        *,
        ours: bool = True,
    ) -> Check:
        return packages.judge_source([self.KNOWN.get(name) for name in wanted], brought, lists, ours=ours)

    @pytest.mark.parametrize("ours", [True, False])
    def test_packages_of_the_seed_and_no_other_index(self, ours: bool) -> None:
        assert self.source(ours=ours).status is Status.PASS

    @pytest.mark.parametrize(
        ("brought", "lists", "text"),
        [
            (BROUGHT, (*LISTS, "deb.debian.org_debian_dists_bookworm_InRelease"), "apt has read deb.debian.org"),
            (frozenset({("jq", "1:1.7"), ("inetutils-telnet", "2:2.4")}), LISTS, "jq 1:1.6 is not on the seed"),
            (frozenset({("jq", "1:1.6"), ("telnet", "2:2.4")}), LISTS, "inetutils-telnet 2:2.4 is not on the seed"),
        ],
    )
    def test_anything_from_elsewhere_fails_and_of_a_foreign_seed_is_not_proven(
        self, brought: frozenset[tuple[str, str]], lists: tuple[str, ...], text: str
    ) -> None:
        mine, foreign = self.source(brought=brought, lists=lists), self.source(brought=brought, lists=lists, ours=False)
        assert (mine.status, foreign.status) == (Status.FAIL, Status.NOT_PROVEN)
        assert text in mine.seen
        assert text in foreign.seen

    def test_where_it_came_from_cannot_be_told(self) -> None:
        checks = [self.source(brought=frozenset()), self.source(lists=("lock", "partial")), self.source(["htop", "x"])]
        assert [check.status for check in checks] == [Status.NOT_PROVEN] * 3
        assert len({check.seen for check in checks}) == 3

    def test_packages_of_a_payload_are_told_by_their_files(self) -> None:
        files = ("packages/jq_1%3a1.6-2+deb12u1_amd64.deb", "packages/Packages", "k3s", "packages/odd.deb")
        assert packages.seed_packages(files) == {("jq", "1:1.6-2+deb12u1")}


BEFORE = Identity("boot-1", "machine", "ssh-ed25519 AAAA root@m", "m-0123", "1", "17\nfiles=7", "a:1\nb:2")
AFTER = replace(BEFORE, boot_id="boot-2")
TEMPTED = replace(AFTER, volume="SEED_M")


class TestIsoDetached:
    @pytest.mark.parametrize(
        ("value", "status"), [("FALSE", Status.PASS), ("false", Status.PASS), ("TRUE", Status.FAIL)]
    )
    def test_the_vmx_on_disk(self, value: str, status: Status) -> None:
        assert power_cycle.judge_vmx("vmx", Vmx.parse(f'sata0:1.startConnected = "{value}"\n')).status is status

    def test_without_the_key_the_cd_is_connected(self) -> None:
        assert power_cycle.judge_vmx("vmx", Vmx.parse("")).status is Status.FAIL

    @pytest.mark.parametrize(
        ("text", "status"),
        [
            ("dd: failed to open '/dev/sr0': No medium found", Status.PASS),
            ("dd: failed to open '/dev/sr0': No such file or directory", Status.PASS),
            ("1+0 records in\n1+0 records out", Status.FAIL),
            ("sudo: a password is required", Status.FAIL),
            ("", Status.FAIL),
        ],
    )
    def test_a_medium_is_absent_only_when_the_guest_says_so(self, text: str, status: Status) -> None:
        assert power_cycle.judge_no_medium("medium", replace(AFTER, drive=text)).status is status

    def test_a_medium_is_named(self) -> None:
        check = power_cycle.judge_no_medium("medium", TEMPTED)
        assert (check.status, check.seen) == (Status.FAIL, "'SEED_M' in the drive")


class TestIdentity:
    def test_the_same_machine_after_a_restart(self) -> None:
        assert identity.judge_restarted("r", BEFORE, AFTER).status is Status.PASS
        assert identity.judge_same_machine("s", BEFORE, AFTER).status is Status.PASS
        assert identity.judge_installer("i", BEFORE, AFTER, ()).status is Status.PASS
        assert identity.judge_first_boot("f", BEFORE, AFTER).status is Status.PASS

    @pytest.mark.parametrize("boot_id", ["boot-1", ""])
    def test_an_answer_of_the_boot_before_is_no_restart(self, boot_id: str) -> None:
        assert identity.judge_restarted("r", BEFORE, replace(AFTER, boot_id=boot_id)).status is Status.FAIL

    @pytest.mark.parametrize("change", [{"machine_id": "other"}, {"machine_id": ""}, {"host_keys": "ssh-ed25519 BBBB"}])
    def test_another_machine_id_or_host_key_is_another_machine(self, change: dict[str, str]) -> None:
        assert identity.judge_same_machine("s", BEFORE, replace(AFTER, **change)).status is Status.FAIL

    def test_no_host_key_at_all_proves_nothing(self) -> None:
        before, after = replace(BEFORE, host_keys=""), replace(AFTER, host_keys="")
        assert identity.judge_same_machine("s", before, after).status is Status.FAIL

    @pytest.mark.parametrize("change", [{"installer_runs": "2"}, {"iso_copy": "18\nfiles=7"}, {"installer_runs": ""}])
    def test_another_run_of_the_installer_is_seen_on_the_disk(self, change: dict[str, str]) -> None:
        assert identity.judge_installer("i", BEFORE, replace(AFTER, **change), ()).status is Status.FAIL

    def test_two_runs_are_one_too_many_though_nothing_changed_since(self) -> None:
        before, after = replace(BEFORE, installer_runs="2"), replace(AFTER, installer_runs="2")
        assert identity.judge_installer("i", before, after, ()).status is Status.FAIL

    def test_an_installer_that_refused_is_seen_on_the_serial_line(self) -> None:
        check = identity.judge_installer("i", BEFORE, AFTER, ("installer-start", "installer-refused"))
        assert check.status is Status.FAIL
        assert "installer-refused" in check.seen

    def test_another_installer_than_ours_keeps_no_counter(self) -> None:
        before, after = replace(BEFORE, installer_runs=""), replace(AFTER, installer_runs="")
        assert identity.judge_installer("i", before, after, ()).status is Status.PASS

    @pytest.mark.parametrize("change", [{"first_boot": "a:1\nb:3"}, {"first_boot": ""}, {"instance": "m-4567"}])
    def test_a_second_first_boot_is_named(self, change: dict[str, str]) -> None:
        check = identity.judge_first_boot("f", BEFORE, replace(AFTER, **change))
        assert check.status is Status.FAIL
        assert "b:" in check.seen or "m-4567" in check.seen


class TestRestarts:
    def test_the_disk_boots_though_the_iso_is_in_the_drive(self) -> None:
        assert restarts.judge_disk_first(BEFORE, TEMPTED, "SEED_M", ()).status is Status.PASS

    @pytest.mark.parametrize("label", ["", "SEED_W"])
    def test_an_empty_drive_or_another_medium_proves_nothing(self, label: str) -> None:
        check = restarts.judge_disk_first(BEFORE, replace(AFTER, volume=label), "SEED_M", ())
        assert check.status is Status.FAIL
        assert "proves nothing" in check.remedy

    def test_an_unknown_iso_is_not_found_in_an_empty_drive(self) -> None:
        assert restarts.judge_disk_first(BEFORE, AFTER, "", ()).status is Status.FAIL

    def test_the_installer_came_first(self) -> None:
        check = restarts.judge_disk_first(BEFORE, TEMPTED, "SEED_M", ("installer-start",))
        assert check.status is Status.FAIL
        assert "bios.bootOrder" in check.remedy

    def test_the_boot_of_before_proves_nothing(self) -> None:
        assert restarts.judge_disk_first(BEFORE, replace(BEFORE, volume="SEED_M"), "SEED_M", ()).status is Status.FAIL


class TestMarker:
    NONCE = "0123456789abcdef" * 2

    @pytest.mark.parametrize("ours", [True, False])
    def test_a_marker_of_this_run(self, ours: bool) -> None:
        text = f'{{"files": 7, "nonce": "{self.NONCE}"}}'
        assert iso_copy.judge_marker(text, self.NONCE, ours=ours).status is Status.PASS

    @pytest.mark.parametrize("text", ["", "files=7\n", "[]", '{"files": 7}'])
    def test_a_marker_of_no_run_is_enough_for_a_foreign_installer_alone(self, text: str) -> None:
        assert iso_copy.judge_marker(text, self.NONCE, ours=True).status is Status.FAIL
        check = iso_copy.judge_marker(text, self.NONCE, ours=False)
        assert check.status is Status.PASS
        assert "names no run" in check.seen

    @pytest.mark.parametrize("ours", [True, False])
    def test_a_marker_of_another_run(self, ours: bool) -> None:
        check = iso_copy.judge_marker('{"nonce": "ffff"}', self.NONCE, ours=ours)
        assert check.status is Status.FAIL
        assert "another run" in check.remedy


class TestCluster:
    NAMES = ("m", "w")

    @staticmethod
    def nodes(**ready: str) -> str:
        items = [
            {"metadata": {"name": name}, "status": {"conditions": [{"type": "Ready", "status": state}]}}
            for name, state in ready.items()
        ]
        return json.dumps({"items": items})

    def test_every_machine_is_a_ready_node(self) -> None:
        assert cluster.judge_nodes(self.nodes(m="True", w="True"), "", self.NAMES).status is Status.PASS

    @pytest.mark.parametrize("ready", [{"m": "True"}, {"m": "True", "w": "False"}, {"m": "True", "w": "Unknown"}, {}])
    def test_a_missing_or_unready_node_fails(self, ready: dict[str, str]) -> None:
        assert cluster.judge_nodes(self.nodes(**ready), "", self.NAMES).status is Status.FAIL

    @pytest.mark.parametrize("text", ["", "not json", "{}", '{"items": [{}]}'])
    def test_no_list_of_nodes_fails_with_what_was_said(self, text: str) -> None:
        check = cluster.judge_nodes(text, "connection refused", self.NAMES)
        assert check.status is Status.FAIL
        assert check.seen == "connection refused"

    @posix_paths
    def test_a_port_answers_only_who_connects(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            command = cluster.connect(IPv4Address("127.0.0.1"), server.getsockname()[1])
            assert subprocess.run(["sh", "-c", command], timeout=20, check=False).returncode == 0
        assert subprocess.run(["sh", "-c", command], timeout=20, check=False, stderr=subprocess.PIPE).returncode != 0
