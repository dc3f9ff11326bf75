# SPDX-License-Identifier: Apache-2.0
.PHONY: setup deps test run
setup deps test run:
	@./dev $@ $(ARGS)
