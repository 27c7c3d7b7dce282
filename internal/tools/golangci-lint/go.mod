module github.com/plimsoll/plimsoll/internal/tools/golangci-lint

go 1.26

require github.com/golangci/golangci-lint/v2 v2.15.0

tool github.com/golangci/golangci-lint/v2/cmd/golangci-lint
