"""Operations on a running cloud, as workflows; time and queues live here and nowhere else."""
