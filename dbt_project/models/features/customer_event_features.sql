{{ event_features(var('features')) }}
