"""What others published on MovieLens 100K, as they printed it.

Surprise: the table of its README ("Benchmarks"; default parameters, 5 folds, `KFold(random_state=0)` in
examples/benchmark.py), https://github.com/NicolasHug/Surprise, version 1.1.4; Hug, "Surprise: A Python library for
recommender systems", JOSS 5(52), 2020.
Recommenders: the table of its README ("Algorithm Comparison", 15 epochs, k = 10) and its notebook sar_movielens, whose
split and figures are those of the row SAR, https://github.com/recommenders-team/recommenders, version 1.1.1.
"""

from __future__ import annotations

# algorithm -> RMSE, MAE
SURPRISE = {
    "SVD++": (0.919, 0.721),
    "k-NN Baseline": (0.931, 0.733),
    "SVD": (0.934, 0.737),
    "Baseline": (0.944, 0.748),
    "Slope One": (0.946, 0.743),
    "Centered k-NN": (0.951, 0.749),
    "NMF": (0.963, 0.758),
    "Co-Clustering": (0.963, 0.753),
    "k-NN": (0.980, 0.774),
    "Random": (1.518, 1.219),
}
# algorithm -> MAP, NDCG, precision and recall at 10
RECOMMENDERS = {
    "BiVAE": (0.146126, 0.475077, 0.411771, 0.219145),
    "BPR": (0.132478, 0.441997, 0.388229, 0.212522),
    "SAR": (0.110591, 0.382461, 0.330753, 0.176385),
    "NCF": (0.107720, 0.396118, 0.347296, 0.180775),
    "LightGCN": (0.088526, 0.419846, 0.379626, 0.144336),
    "FastAI": (0.025503, 0.147866, 0.130329, 0.053824),
    "SVD": (0.012873, 0.095930, 0.091198, 0.032783),
    "ALS": (0.004732, 0.044239, 0.048462, 0.017796),
}
