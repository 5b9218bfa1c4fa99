#!/usr/bin/env bash
# Runs every test with ctest, whose summary is the last thing printed. Arguments go to ctest. Where
# CI=true, a test whose data is absent fails; elsewhere it is skipped and says why.

# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

exec ctest --test-dir "$BUILD" --parallel "$(jobs_at_a_time)" --output-on-failure \
  --no-tests=error "$@"
