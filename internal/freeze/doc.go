// Package freeze keeps the times in which nothing moves.
package freeze
