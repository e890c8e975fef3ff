BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('v3.2.0.a');
CREATE TABLE nas_alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT nas_alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "nas_alembic_version" VALUES('0003');
CREATE TABLE nas_architectures (
	id TEXT NOT NULL, 
	canonical TEXT NOT NULL, 
	CONSTRAINT pk_nas_architectures PRIMARY KEY (id)
);
INSERT INTO "nas_architectures" VALUES('4b4b1e21a95d','{"stem":{"kind":"patchify","patch":2},"stages":[{"depth":3,"width":48,"block":{"kind":"mixer_first","mixer":{"kind":"depthwise","kernel":3},"ratio":2.0,"layer_scale":1e-06}},{"depth":3,"width":96,"block":{"kind":"mixer_first","mixer":{"kind":"depthwise","kernel":5},"ratio":2.0,"layer_scale":1e-06},"downsample":"conv"},{"depth":1,"width":192,"block":{"kind":"mixer_first","mixer":{"kind":"depthwise","kernel":5},"ratio":2.0,"layer_scale":1e-06},"downsample":"conv"}],"head":"pool_norm_linear","drop_path":0.05}');
INSERT INTO "nas_architectures" VALUES('c993a01b76e8','{"stem":{"kind":"patchify","patch":2},"stages":[{"depth":1,"width":40,"block":{"kind":"mixer_first","mixer":{"kind":"depthwise","kernel":3},"act":"relu","ratio":2.0,"layer_scale":1e-06}},{"depth":1,"width":80,"block":{"kind":"mixer_first","mixer":{"kind":"depthwise","kernel":3},"act":"relu","ratio":2.0,"layer_scale":1e-06},"downsample":"conv"},{"depth":4,"width":160,"block":{"kind":"mixer_first","mixer":{"kind":"depthwise","kernel":3},"act":"relu","ratio":2.0,"layer_scale":1e-06},"downsample":"conv"}],"head":"pool_norm_linear","drop_path":0.05}');
INSERT INTO "nas_architectures" VALUES('70dff3e05d97','{"stem":{"kind":"patchify","patch":2},"stages":[{"depth":1,"width":24,"block":{"kind":"mixer_first","mixer":{"kind":"depthwise","kernel":3},"act":"relu","layer_scale":1e-06}},{"depth":3,"width":48,"block":{"kind":"mixer_first","mixer":{"kind":"depthwise","kernel":3},"act":"relu","layer_scale":1e-06},"downsample":"conv"},{"depth":3,"width":96,"block":{"kind":"mixer_first","mixer":{"kind":"depthwise","kernel":3},"act":"relu","layer_scale":1e-06},"downsample":"conv"}],"head":"pool_norm_linear","drop_path":0.05}');
CREATE TABLE nas_evaluations (
	id INTEGER NOT NULL, 
	study TEXT NOT NULL, 
	architecture TEXT NOT NULL, 
	recipe TEXT NOT NULL, 
	data TEXT NOT NULL, 
	seed BIGINT NOT NULL, 
	rung INTEGER NOT NULL, 
	accuracy DOUBLE, 
	loss DOUBLE, 
	curve TEXT NOT NULL, 
	images BIGINT NOT NULL, 
	seconds DOUBLE NOT NULL, 
	train_seconds DOUBLE NOT NULL, 
	peak_memory BIGINT NOT NULL, 
	worker TEXT NOT NULL, 
	weights TEXT, 
	failure TEXT, 
	message TEXT NOT NULL, 
	traceback TEXT NOT NULL, 
	finished TEXT NOT NULL, phases TEXT DEFAULT '{}' NOT NULL, images_per_second DOUBLE, energy DOUBLE, micro_batch INTEGER, 
	CONSTRAINT pk_nas_evaluations PRIMARY KEY (id), 
	CONSTRAINT fk_nas_evaluations_study FOREIGN KEY(study) REFERENCES nas_studies (name), 
	CONSTRAINT fk_nas_evaluations_architecture FOREIGN KEY(architecture) REFERENCES nas_architectures (id)
);
INSERT INTO "nas_evaluations" VALUES(1,'mine','4b4b1e21a95d','c72e052ebdb4','9106506497e62977',1,0,1.50417827298050144069e-01,2.29204047157903900711e+00,'[2.3710199869596043]',208,1.48942905300009442726e+00,0.767575498000042,437174272,'laptop:9694',NULL,NULL,'','','2026-11-28T22:17:47.645+00:00','{"data":0.0019319559996802127,"build":0.047351848000289465,"train":0.767575498000042,"validate":0.651350703999924}',2.70983115722107925204e+02,NULL,NULL);
INSERT INTO "nas_evaluations" VALUES(2,'mine','c993a01b76e8','c72e052ebdb4','9106506497e62977',1,0,0.181058495821727,2.24857464208576329767e+00,'[2.386679906111497]',208,7.79249482999603060306e-01,5.8232852700029980042e-01,417984512,'laptop:9694','/home/ann/nets/nas.db.weights/mine/c993a01b76e8.safetensors',NULL,'','','2026-11-28T22:17:48.433+00:00','{"data":8.974000138550764e-06,"build":0.01299399000026824,"train":0.5823285270002998,"validate":0.17413591400008954}',3.57186691628268647501e+02,NULL,NULL);
INSERT INTO "nas_evaluations" VALUES(3,'mine','70dff3e05d97','c72e052ebdb4','9106506497e62977',1,0,1.42061281337047345951e-01,2.27838615056199955688e+00,'[2.341973213049082]',208,5.51657095999871671665e-01,0.364278361000288,430825472,'laptop:9694','/home/ann/nets/nas.db.weights/mine/70dff3e05d97.safetensors',NULL,'','','2026-11-28T22:17:48.994+00:00','{"data":8.42200006445637e-06,"build":0.01734235300000364,"train":0.364278361000288,"validate":0.1635592610000458}',5.70991917908172354157e+02,NULL,NULL);
INSERT INTO "nas_evaluations" VALUES(4,'pair','70dff3e05d97','c72e052ebdb4','9106506497e62977',0,0,1.55988857938718666895e-01,2.28102405091182092178e+00,'[2.3372823825249305]',208,6.71882577999895147513e-01,3.7116209699979663128e-01,371953664,'laptop:10502',NULL,NULL,'','','2026-11-28T22:19:29.627+00:00','{"data":0.002073516000109521,"build":0.04079550000005838,"train":0.37116209699979663,"validate":0.25570582200043646}',5.60402049889576915099e+02,NULL,NULL);
INSERT INTO "nas_evaluations" VALUES(5,'pair','c993a01b76e8','c72e052ebdb4','9106506497e62977',0,0,1.58774373259052914431e-01,2.25068766559398936166e+00,'[2.3710418114295373]',208,0.547835847999977,3.31015111999931832542e-01,397545472,'laptop:10502',NULL,NULL,'','','2026-11-28T22:19:30.180+00:00','{"data":8.331999652000377e-06,"build":0.01152718699995603,"train":0.33101511199993183,"validate":0.20448773900034212}',6.2837010293367768555e+02,NULL,NULL);
CREATE TABLE nas_leases (
	study TEXT NOT NULL, 
	holder TEXT NOT NULL, 
	token TEXT NOT NULL, 
	since DOUBLE NOT NULL, 
	renewed DOUBLE NOT NULL, 
	CONSTRAINT pk_nas_leases PRIMARY KEY (study), 
	CONSTRAINT fk_nas_leases_study FOREIGN KEY(study) REFERENCES nas_studies (name)
);
CREATE TABLE nas_pulses (
	study TEXT NOT NULL, 
	content TEXT NOT NULL, 
	written DOUBLE NOT NULL, 
	CONSTRAINT pk_nas_pulses PRIMARY KEY (study), 
	CONSTRAINT fk_nas_pulses_study FOREIGN KEY(study) REFERENCES nas_studies (name)
);
INSERT INTO "nas_pulses" VALUES('mine','{"study":"mine","driver":"laptop:9546","trials":{"done":3},"target":3,"rungs":[{"arrived":3,"promoted":0,"waiting":0}],"failures":{},"slots":1,"workers":[{"name":"laptop:9694","job":"","architecture":"","rung":0,"seconds":0.0,"fraction":0.0}],"nodes":[{"name":"laptop","workers":1,"busy":0,"images_per_second":0.0,"peak_memory":437174272}],"images_per_second":0.0,"peak_memory":437174272,"train_seconds":2.820335631999569,"best":"c993a01b76e8","best_accuracy":0.181058495821727,"front":2,"seconds":6.065249741000116,"seconds_left":0.0,"stop":"trials"}',1.79590426900698232654e+09);
CREATE TABLE nas_reports (
	study TEXT NOT NULL, 
	architecture TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	content TEXT NOT NULL, 
	created TEXT NOT NULL, 
	CONSTRAINT pk_nas_reports PRIMARY KEY (study, architecture, kind), 
	CONSTRAINT fk_nas_reports_study FOREIGN KEY(study) REFERENCES nas_studies (name), 
	CONSTRAINT fk_nas_reports_architecture FOREIGN KEY(architecture) REFERENCES nas_architectures (id)
);
CREATE TABLE nas_studies (
	name TEXT NOT NULL, 
	definition TEXT NOT NULL, 
	created TEXT NOT NULL, 
	CONSTRAINT pk_nas_studies PRIMARY KEY (name)
);
INSERT INTO "nas_studies" VALUES('mine','{"space":{"name":"tiny","text":"# For small images (CIFAR, digits): three stages from a 2x2 patch stem, priced at 32x32 with 10 classes.\nname: tiny\nabout: Small networks for 32x32 images\ntask: {resolution: 32, classes: 10, channels: 3}\nstem: {kind: patchify, patch: 2, norm: layernorm}\nstages:\n  depth: {int: [1, 4], per: stage}\n  width:\n    base: {int: [16, 64], step: 8}\n    ratio: [1, 2, 4]\n  block:\n    kind: mixer_first\n    mixer: {kind: depthwise, kernel: {choice: [3, 5, 7], per: stage}}\n    norm: {choice: [layernorm, batchnorm]}\n    act: {choice: [gelu, relu]}\n    act_placement: {choice: [between_pointwise, everywhere]}\n    ratio: {choice: [2, 4]}\n    layer_scale: 1e-6\n  downsample: {kind: conv, kernel: 2, norm: layernorm}\nhead: {kind: pool_norm_linear, norm: layernorm}\ndrop_path: 0.05\n"},"budget":["30MFLOPs"],"task":{"resolution":32,"classes":10,"channels":3},"data":"digits","fingerprint":"9106506497e62977","recipe":{"data_share":0.2},"sampler":"random","seed":1,"objectives":"accuracy,flops","control":0.1,"start":[],"reduction":3,"trials":3,"seconds":null,"train_seconds":null,"patience":null}','2026-11-28T22:17:42+00:00');
INSERT INTO "nas_studies" VALUES('trust-tiny-30MFLOPs','{"judges":"proxy","drawn_from":{"name":"tiny","text":"# For small images (CIFAR, digits): three stages from a 2x2 patch stem, priced at 32x32 with 10 classes.\nname: tiny\nabout: Small networks for 32x32 images\ntask: {resolution: 32, classes: 10, channels: 3}\nstem: {kind: patchify, patch: 2, norm: layernorm}\nstages:\n  depth: {int: [1, 4], per: stage}\n  width:\n    base: {int: [16, 64], step: 8}\n    ratio: [1, 2, 4]\n  block:\n    kind: mixer_first\n    mixer: {kind: depthwise, kernel: {choice: [3, 5, 7], per: stage}}\n    norm: {choice: [layernorm, batchnorm]}\n    act: {choice: [gelu, relu]}\n    act_placement: {choice: [between_pointwise, everywhere]}\n    ratio: {choice: [2, 4]}\n    layer_scale: 1e-6\n  downsample: {kind: conv, kernel: 2, norm: layernorm}\nhead: {kind: pool_norm_linear, norm: layernorm}\ndrop_path: 0.05\n","seed":0},"budget":["30MFLOPs"],"task":{"resolution":32,"classes":10,"channels":3},"data":"digits","fingerprint":"9106506497e62977","recipe":{},"reference":{"epochs":2}}','2026-11-28T22:00:00+00:00');
INSERT INTO "nas_studies" VALUES('mine-refined-7b6856','{"refines":"mine","task":{"resolution":32,"classes":10,"channels":3},"fingerprint":"9106506497e62977","recipe":{"data_share":0.2},"draws":1,"reduction":3,"seed":1}','2026-11-28T22:00:00+00:00');
INSERT INTO "nas_studies" VALUES('pair','{"architectures":[{"architecture":"a.yaml","label":"first","published":""},{"architecture":"b.yaml","label":"second","published":""}],"budget":[],"task":{"resolution":224,"classes":1000,"channels":3},"data":"digits","fingerprint":"9106506497e62977","recipe":{"data_share":0.2}}','2026-11-28T22:19:26+00:00');
CREATE TABLE nas_trials (
	study TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	architecture TEXT NOT NULL, 
	choices TEXT NOT NULL, 
	cost TEXT NOT NULL, 
	overrun TEXT NOT NULL, 
	state TEXT NOT NULL, 
	sampler TEXT NOT NULL, 
	evaluation INTEGER, 
	attempts INTEGER NOT NULL, 
	updated TEXT NOT NULL, asked TEXT, submitted TEXT, 
	CONSTRAINT pk_nas_trials PRIMARY KEY (study, number), 
	CONSTRAINT fk_nas_trials_study FOREIGN KEY(study) REFERENCES nas_studies (name), 
	CONSTRAINT fk_nas_trials_architecture FOREIGN KEY(architecture) REFERENCES nas_architectures (id), 
	CONSTRAINT fk_nas_trials_evaluation FOREIGN KEY(evaluation) REFERENCES nas_evaluations (id)
);
INSERT INTO "nas_trials" VALUES('mine',0,'4b4b1e21a95d','{"stages.0.depth":3,"stages.width.base":48,"stages.0.block.mixer.kernel":3,"stages.block.norm":"layernorm","stages.block.act":"gelu","stages.block.ratio":2,"stages.block.act_placement":"between_pointwise","stages.1.depth":3,"stages.1.block.mixer.kernel":5,"stages.2.depth":1,"stages.2.block.mixer.kernel":5}','{"params":399130,"flops":19893120,"activations":254986,"train_params":399130,"train_flops":19893120,"train_activations":254986}','{"flops":-0.336896}','done','{}',1,1,'2026-11-28T22:17:47.645+00:00','2026-11-28T22:17:42.987+00:00',NULL);
INSERT INTO "nas_trials" VALUES('mine',1,'c993a01b76e8','{"stages.0.depth":1,"stages.width.base":40,"stages.0.block.mixer.kernel":3,"stages.block.norm":"layernorm","stages.block.act":"relu","stages.block.ratio":2,"stages.block.act_placement":"between_pointwise","stages.1.depth":1,"stages.1.block.mixer.kernel":3,"stages.2.depth":4,"stages.2.block.mixer.kernel":3}','{"params":520770,"flops":11823680,"activations":120330,"train_params":520770,"train_flops":11823680,"train_activations":120330}','{"flops":-0.6058773333333334}','done','{}',2,1,'2026-11-28T22:17:48.433+00:00','2026-11-28T22:17:47.651+00:00',NULL);
INSERT INTO "nas_trials" VALUES('mine',2,'70dff3e05d97','{"stages.0.depth":1,"stages.width.base":24,"stages.0.block.mixer.kernel":3,"stages.block.norm":"layernorm","stages.block.act":"relu","stages.block.ratio":4,"stages.block.act_placement":"between_pointwise","stages.1.depth":3,"stages.1.block.mixer.kernel":3,"stages.2.depth":3,"stages.2.block.mixer.kernel":3}','{"params":314146,"flops":9101760,"activations":130570,"train_params":314146,"train_flops":9101760,"train_activations":130570}','{"flops":-0.696608}','done','{}',3,1,'2026-11-28T22:17:48.994+00:00','2026-11-28T22:17:48.439+00:00',NULL);
INSERT INTO "nas_trials" VALUES('pair',0,'70dff3e05d97','{"entry":0,"seed":0}','{"params":410176,"flops":446035200,"activations":6398440,"train_params":410176,"train_flops":446035200,"train_activations":6398440}','{}','done','{}',4,1,'2026-11-28T22:19:29.627+00:00','2026-11-28T22:19:26.475+00:00','2026-11-28T22:19:26.484+00:00');
INSERT INTO "nas_trials" VALUES('pair',1,'c993a01b76e8','{"entry":1,"seed":0}','{"params":680160,"flops":579441920,"activations":5896680,"train_params":680160,"train_flops":579441920,"train_activations":5896680}','{}','done','{}',5,1,'2026-11-28T22:19:30.180+00:00','2026-11-28T22:19:26.475+00:00','2026-11-28T22:19:29.630+00:00');
INSERT INTO "nas_trials" VALUES('pair',2,'70dff3e05d97','{"entry":0,"seed":1}','{"params":410176,"flops":446035200,"activations":6398440,"train_params":410176,"train_flops":446035200,"train_activations":6398440}','{}','reused','{}',3,0,'2026-11-28T22:19:30.181+00:00','2026-11-28T22:19:26.475+00:00',NULL);
INSERT INTO "nas_trials" VALUES('pair',3,'c993a01b76e8','{"entry":1,"seed":1}','{"params":680160,"flops":579441920,"activations":5896680,"train_params":680160,"train_flops":579441920,"train_activations":5896680}','{}','reused','{}',2,0,'2026-11-28T22:19:30.181+00:00','2026-11-28T22:19:26.475+00:00',NULL);
CREATE TABLE studies (
	study_id INTEGER NOT NULL, 
	study_name VARCHAR(512) NOT NULL, 
	PRIMARY KEY (study_id)
);
INSERT INTO "studies" VALUES(1,'mine');
CREATE TABLE study_directions (
	study_direction_id INTEGER NOT NULL, 
	direction VARCHAR(8) NOT NULL, 
	study_id INTEGER NOT NULL, 
	objective INTEGER NOT NULL, 
	PRIMARY KEY (study_direction_id), 
	UNIQUE (study_id, objective), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "study_directions" VALUES(1,'MAXIMIZE',1,0);
INSERT INTO "study_directions" VALUES(2,'MINIMIZE',1,1);
CREATE TABLE study_system_attributes (
	study_system_attribute_id INTEGER NOT NULL, 
	study_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (study_system_attribute_id), 
	UNIQUE (study_id, "key"), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "study_system_attributes" VALUES(1,1,'study:metric_names','["accuracy", "flops"]');
CREATE TABLE study_user_attributes (
	study_user_attribute_id INTEGER NOT NULL, 
	study_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (study_user_attribute_id), 
	UNIQUE (study_id, "key"), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
CREATE TABLE trial_heartbeats (
	trial_heartbeat_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	heartbeat DATETIME NOT NULL, 
	PRIMARY KEY (trial_heartbeat_id), 
	UNIQUE (trial_id), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
CREATE TABLE trial_intermediate_values (
	trial_intermediate_value_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	step INTEGER NOT NULL, 
	intermediate_value FLOAT, 
	intermediate_value_type VARCHAR(7) NOT NULL, 
	PRIMARY KEY (trial_intermediate_value_id), 
	UNIQUE (trial_id, step), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
CREATE TABLE trial_params (
	param_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	param_name VARCHAR(512), 
	param_value FLOAT, 
	distribution_json TEXT, 
	PRIMARY KEY (param_id), 
	UNIQUE (trial_id, param_name), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_params" VALUES(1,1,'stages.0.depth',3.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 1, "high": 4}}');
INSERT INTO "trial_params" VALUES(2,1,'stages.width.base',48.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 8, "low": 16, "high": 64}}');
INSERT INTO "trial_params" VALUES(3,1,'stages.0.block.mixer.kernel',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [3, 5, 7]}}');
INSERT INTO "trial_params" VALUES(4,1,'stages.block.norm',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["layernorm", "batchnorm"]}}');
INSERT INTO "trial_params" VALUES(5,1,'stages.block.act',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["gelu", "relu"]}}');
INSERT INTO "trial_params" VALUES(6,1,'stages.block.ratio',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [2, 4]}}');
INSERT INTO "trial_params" VALUES(7,1,'stages.block.act_placement',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["between_pointwise", "everywhere"]}}');
INSERT INTO "trial_params" VALUES(8,1,'stages.1.depth',3.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 1, "high": 4}}');
INSERT INTO "trial_params" VALUES(9,1,'stages.1.block.mixer.kernel',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [3, 5, 7]}}');
INSERT INTO "trial_params" VALUES(10,1,'stages.2.depth',1.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 1, "high": 4}}');
INSERT INTO "trial_params" VALUES(11,1,'stages.2.block.mixer.kernel',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [3, 5, 7]}}');
INSERT INTO "trial_params" VALUES(12,2,'stages.0.depth',1.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 1, "high": 4}}');
INSERT INTO "trial_params" VALUES(13,2,'stages.width.base',40.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 8, "low": 16, "high": 64}}');
INSERT INTO "trial_params" VALUES(14,2,'stages.0.block.mixer.kernel',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [3, 5, 7]}}');
INSERT INTO "trial_params" VALUES(15,2,'stages.block.norm',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["layernorm", "batchnorm"]}}');
INSERT INTO "trial_params" VALUES(16,2,'stages.block.act',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["gelu", "relu"]}}');
INSERT INTO "trial_params" VALUES(17,2,'stages.block.ratio',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [2, 4]}}');
INSERT INTO "trial_params" VALUES(18,2,'stages.block.act_placement',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["between_pointwise", "everywhere"]}}');
INSERT INTO "trial_params" VALUES(19,2,'stages.1.depth',1.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 1, "high": 4}}');
INSERT INTO "trial_params" VALUES(20,2,'stages.1.block.mixer.kernel',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [3, 5, 7]}}');
INSERT INTO "trial_params" VALUES(21,2,'stages.2.depth',4.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 1, "high": 4}}');
INSERT INTO "trial_params" VALUES(22,2,'stages.2.block.mixer.kernel',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [3, 5, 7]}}');
INSERT INTO "trial_params" VALUES(23,3,'stages.0.depth',1.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 1, "high": 4}}');
INSERT INTO "trial_params" VALUES(24,3,'stages.width.base',24.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 8, "low": 16, "high": 64}}');
INSERT INTO "trial_params" VALUES(25,3,'stages.0.block.mixer.kernel',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [3, 5, 7]}}');
INSERT INTO "trial_params" VALUES(26,3,'stages.block.norm',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["layernorm", "batchnorm"]}}');
INSERT INTO "trial_params" VALUES(27,3,'stages.block.act',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["gelu", "relu"]}}');
INSERT INTO "trial_params" VALUES(28,3,'stages.block.ratio',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [2, 4]}}');
INSERT INTO "trial_params" VALUES(29,3,'stages.block.act_placement',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["between_pointwise", "everywhere"]}}');
INSERT INTO "trial_params" VALUES(30,3,'stages.1.depth',3.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 1, "high": 4}}');
INSERT INTO "trial_params" VALUES(31,3,'stages.1.block.mixer.kernel',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [3, 5, 7]}}');
INSERT INTO "trial_params" VALUES(32,3,'stages.2.depth',3.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 1, "high": 4}}');
INSERT INTO "trial_params" VALUES(33,3,'stages.2.block.mixer.kernel',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [3, 5, 7]}}');
CREATE TABLE trial_system_attributes (
	trial_system_attribute_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (trial_system_attribute_id), 
	UNIQUE (trial_id, "key"), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_system_attributes" VALUES(1,1,'constraints:flops','-0.336896');
INSERT INTO "trial_system_attributes" VALUES(2,1,'constraints:failed','0.0');
INSERT INTO "trial_system_attributes" VALUES(3,2,'constraints:flops','-0.6058773333333334');
INSERT INTO "trial_system_attributes" VALUES(4,2,'constraints:failed','0.0');
INSERT INTO "trial_system_attributes" VALUES(5,3,'constraints:flops','-0.696608');
INSERT INTO "trial_system_attributes" VALUES(6,3,'constraints:failed','0.0');
CREATE TABLE trial_user_attributes (
	trial_user_attribute_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (trial_user_attribute_id), 
	UNIQUE (trial_id, "key"), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_user_attributes" VALUES(1,1,'architecture','"4b4b1e21a95d"');
INSERT INTO "trial_user_attributes" VALUES(2,1,'params','399130');
INSERT INTO "trial_user_attributes" VALUES(3,1,'flops','19893120');
INSERT INTO "trial_user_attributes" VALUES(4,1,'activations','254986');
INSERT INTO "trial_user_attributes" VALUES(5,1,'train_params','399130');
INSERT INTO "trial_user_attributes" VALUES(6,1,'train_flops','19893120');
INSERT INTO "trial_user_attributes" VALUES(7,1,'train_activations','254986');
INSERT INTO "trial_user_attributes" VALUES(8,2,'architecture','"c993a01b76e8"');
INSERT INTO "trial_user_attributes" VALUES(9,2,'params','520770');
INSERT INTO "trial_user_attributes" VALUES(10,2,'flops','11823680');
INSERT INTO "trial_user_attributes" VALUES(11,2,'activations','120330');
INSERT INTO "trial_user_attributes" VALUES(12,2,'train_params','520770');
INSERT INTO "trial_user_attributes" VALUES(13,2,'train_flops','11823680');
INSERT INTO "trial_user_attributes" VALUES(14,2,'train_activations','120330');
INSERT INTO "trial_user_attributes" VALUES(15,3,'architecture','"70dff3e05d97"');
INSERT INTO "trial_user_attributes" VALUES(16,3,'params','314146');
INSERT INTO "trial_user_attributes" VALUES(17,3,'flops','9101760');
INSERT INTO "trial_user_attributes" VALUES(18,3,'activations','130570');
INSERT INTO "trial_user_attributes" VALUES(19,3,'train_params','314146');
INSERT INTO "trial_user_attributes" VALUES(20,3,'train_flops','9101760');
INSERT INTO "trial_user_attributes" VALUES(21,3,'train_activations','130570');
CREATE TABLE trial_values (
	trial_value_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	objective INTEGER NOT NULL, 
	value FLOAT, 
	value_type VARCHAR(7) NOT NULL, 
	PRIMARY KEY (trial_value_id), 
	UNIQUE (trial_id, objective), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_values" VALUES(1,1,0,1.50417827298050144069e-01,'FINITE');
INSERT INTO "trial_values" VALUES(2,1,1,19893120.0,'FINITE');
INSERT INTO "trial_values" VALUES(3,2,0,0.181058495821727,'FINITE');
INSERT INTO "trial_values" VALUES(4,2,1,11823680.0,'FINITE');
INSERT INTO "trial_values" VALUES(5,3,0,1.42061281337047345951e-01,'FINITE');
INSERT INTO "trial_values" VALUES(6,3,1,9101760.0,'FINITE');
CREATE TABLE trials (
	trial_id INTEGER NOT NULL, 
	number INTEGER, 
	study_id INTEGER, 
	state VARCHAR(8) NOT NULL, 
	datetime_start DATETIME, 
	datetime_complete DATETIME, 
	PRIMARY KEY (trial_id), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "trials" VALUES(1,0,1,'COMPLETE','2026-11-28 22:17:48.218613','2026-11-28 22:17:48.218613');
INSERT INTO "trials" VALUES(2,1,1,'COMPLETE','2026-11-28 22:17:48.996343','2026-11-28 22:17:48.996343');
INSERT INTO "trials" VALUES(3,2,1,'COMPLETE','2026-11-28 22:17:48.996343','2026-11-28 22:17:48.996343');
CREATE TABLE version_info (
	version_info_id INTEGER NOT NULL, 
	schema_version INTEGER, 
	library_version VARCHAR(256), 
	PRIMARY KEY (version_info_id), 
	CHECK (version_info_id=1)
);
INSERT INTO "version_info" VALUES(1,12,'5.0.0');
CREATE INDEX ix_nas_evaluations_study ON nas_evaluations (study);
CREATE INDEX ix_nas_evaluations_architecture ON nas_evaluations (architecture);
CREATE UNIQUE INDEX uq_nas_evaluations_key ON nas_evaluations (architecture, recipe, data, seed, rung) WHERE failure IS NULL;
CREATE INDEX ix_nas_trials_study_state_number ON nas_trials (study, state, number);
CREATE INDEX ix_nas_trials_study_architecture ON nas_trials (study, architecture);
CREATE INDEX ix_nas_evaluations_failure ON nas_evaluations (study, failure) WHERE failure IS NOT NULL;
CREATE UNIQUE INDEX ix_studies_study_name ON studies (study_name);
CREATE INDEX ix_trials_study_id ON trials (study_id);
COMMIT;
