"""What several questions share: asking for clones, counting what fits, losing hosts."""
