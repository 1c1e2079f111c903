"""Words that cmd.exe would change never reach a batch file."""

from __future__ import annotations

import pytest

from harness.core.errors import ProcessError
from harness.core.secret import Secret
from harness.system.windows.batch_files import refuse_batch_words


@pytest.mark.parametrize("word", [r"F:\R&D\a.vmx", "100%", 'say "hi"', "a\nb", "a!b"])
def test_a_batch_file_gets_no_word_that_cmd_changes(word: str) -> None:
    refuse_batch_words((r"C:\vmrun.exe", "start", word))
    refuse_batch_words((r"C:\vmrun.BAT", "start", r"C:\My VMs (x86)\a.vmx"))
    for program in (r"C:\vmrun.BAT", "vmrun.cmd"):
        with pytest.raises(ProcessError, match=r"cmd\.exe would change"):
            refuse_batch_words((program, "start", word))


def test_a_password_for_a_batch_file_is_not_shown() -> None:
    Secret("known\\100%")
    for words in (("vmrun.bat", "-gp", "hidden\\100%", "list"), ("vmrun.bat", "list", "known\\100%")):
        with pytest.raises(ProcessError) as caught:
            refuse_batch_words(words)
        assert "100" not in str(caught.value)
