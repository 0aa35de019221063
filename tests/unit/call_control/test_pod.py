"""The engine of a pod: what it commits, and what of it survives the loss of a pod or of writes."""

from __future__ import annotations

from support.call_driver import CallDriver



class TestReportsThatARequestLeft:
    def test_first_one_costs_no_commit(self) -> None:
        driver = CallDriver()
        driver.invite()
        driver.sent(driver.requests("INVITE")[0].branch)
        assert driver.pod.counters.commits == 1

    def test_pod_that_sweeps_hears_of_it_through_the_store(self) -> None:
        """It is another one than the pod that the reports go to; a callee that only said 100 rings on."""
        driver = CallDriver()
        driver.invite()
        branch = driver.requests("INVITE")[0].branch
        driver.sent(branch)
        sweeper = driver.new_pod()
        for _ in range(40):
            driver.pass_time(1.0, sweeper)
            if driver.requests("INVITE"):
                driver.sent(branch)
        assert driver.commands("respond") == []
        call = driver.call
        assert call is not None
        assert call.legs[1].sent.branch == branch
